using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>A package.json with a start script or a main file.</summary>
internal static partial class NodeDetector
{
    private static readonly string[] Mains = ["server.js", "index.js", "app.js", "main.js", "server.mjs", "index.mjs"];

    public static DetectedStack? Look(string folder)
    {
        var path = Path.Combine(folder, "package.json");
        if (!File.Exists(path) || SourceFile.Read(path, new Report()) is not { } file
            || JsonNodes.Read(file, new Report()) is not MapNode package)
        {
            return null;
        }

        var reasons = new List<string>();
        var scripts = Find(package, "scripts") as MapNode;
        var run = Run(folder, package, Text(scripts, "start"), reasons);
        if (run is null)
        {
            return null;
        }

        var build = Build(folder, package, Text(scripts, "build") is not null, reasons);
        (string, string)[] keys = build is null ? [("run", run), ("route", "/")] : [("build", build), ("run", run), ("route", "/")];
        var text = new StackWriter(folder, "Node", reasons).Service("web", keys).Hints().Finish();
        return new DetectedStack("Node", text, [.. reasons]);
    }

    private static string? Run(string folder, MapNode package, string? start, List<string> reasons)
    {
        if (start is not null)
        {
            if (PlainNode().IsMatch(start))
            {
                reasons.Add("The start script of package.json is run without npm, so that signals reach it.");
                return start;
            }

            reasons.Add("The start script of package.json is run; it must listen to PORT.");
            return "npm start --silent";
        }

        var main = Text(package, "main") is { } named && File.Exists(Path.Combine(folder, named)) ? named
            : Array.Find(Mains, m => File.Exists(Path.Combine(folder, m)));
        if (main is null || !SafePath().IsMatch(main))
        {
            return null;
        }

        reasons.Add($"package.json has no start script; {main} is run and must listen to PORT.");
        return $"node {main}";
    }

    private static string? Build(string folder, MapNode package, bool hasBuild, List<string> reasons)
    {
        var has = Find(package, "dependencies") is MapNode { Entries.Count: > 0 } || Find(package, "devDependencies") is MapNode { Entries.Count: > 0 };
        var (install, tool) = File.Exists(Path.Combine(folder, "pnpm-lock.yaml")) ? ("pnpm install --frozen-lockfile", "pnpm")
            : File.Exists(Path.Combine(folder, "yarn.lock")) ? ("yarn install --frozen-lockfile", "yarn")
            : File.Exists(Path.Combine(folder, "package-lock.json")) ? ("npm ci", "npm")
            : ("npm install", "npm");
        List<string> steps = [.. has ? [install] : Array.Empty<string>(), .. hasBuild ? [$"{tool} run build"] : Array.Empty<string>()];
        if (steps.Count == 0)
        {
            return null;
        }

        reasons.Add($"Each release is built with {tool}.");
        return string.Join(" && ", steps);
    }

    private static Node? Find(MapNode? map, string key) => map?.Entries.FirstOrDefault(e => e.Key.Text == key).Value;

    private static string? Text(MapNode? map, string key) =>
        Find(map, key) is ScalarNode { Quoted: true } text && text.Text.Trim().Length > 0 ? text.Text.Trim() : null;

    [GeneratedRegex(@"^node [A-Za-z0-9./_ =-]+\z")]
    private static partial Regex PlainNode();

    [GeneratedRegex(@"^[A-Za-z0-9_][A-Za-z0-9./_-]*\z")]
    private static partial Regex SafePath();
}
