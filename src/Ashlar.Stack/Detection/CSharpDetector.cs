using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>One or several C# projects: web projects and workers, published into the release and run.</summary>
internal static partial class CSharpDetector
{
    private const int MaxDepth = 3;

    private sealed record Project(string Path, string Assembly, bool IsWeb)
    {
        public string Folder => System.IO.Path.GetDirectoryName(Path) is { Length: > 0 } folder ? folder : ".";
    }

    public static DetectedStack? Look(string folder)
    {
        var projects = Find(folder, "", 0).OrderBy(p => p.IsWeb ? 0 : 1).ThenBy(p => p.Path, StringComparer.Ordinal).Take(20).ToList();
        if (!projects.Exists(p => p.IsWeb))
        {
            return null;
        }

        // Among several, the one that calls itself web is the front.
        var front = projects.Find(p => p.IsWeb && p.Assembly.EndsWith("Web", StringComparison.OrdinalIgnoreCase)) ?? projects[0];
        var names = new HashSet<string>(StringComparer.Ordinal) { "web" };
        List<string> reasons = ["Each project is published into the release, and run from there on the port in PORT."];
        if (projects.Count(p => p.IsWeb) > 1)
        {
            reasons.Add($"{front.Assembly} has the route /; the other web projects are reached by NAME_URL until they are given routes.");
        }

        var writer = new StackWriter(folder, "C#", reasons);
        Write(writer, "web", front);
        writer.Line("    route: /").Hints();
        foreach (var project in projects.Where(p => p != front))
        {
            var name = Unique(Names.Fit(project.Assembly.Split('.')[^1], "service"), names);
            Write(writer, name, project);
            if (project.IsWeb)
            {
                writer.Line("    interface: http").Line($"    # route: {name}.example.com");
            }
        }

        return new DetectedStack("C#", writer.Finish(), [.. reasons]);
    }

    private static void Write(StackWriter writer, string name, Project project)
    {
        var output = $"out/{name}";
        var urls = project.IsWeb ? " --urls http://127.0.0.1:$PORT" : "";
        writer.Service(
            name,
            ("build", $"dotnet publish {Quote(project.Path)} -c Release -o {output}"),
            ("run", $"dotnet {Quote($"{output}/{project.Assembly}.dll")}{urls}"));
    }

    private static IEnumerable<Project> Find(string root, string below, int depth)
    {
        var folder = Path.Combine(root, below);
        var options = new EnumerationOptions { IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden };
        foreach (var file in Directory.EnumerateFiles(folder, "*.csproj", options))
        {
            if (Read(root, Path.Combine(below, Path.GetFileName(file))) is { } project)
            {
                yield return project;
            }
        }

        if (depth == MaxDepth)
        {
            yield break;
        }

        foreach (var inner in Directory.EnumerateDirectories(folder, "*", options))
        {
            var name = Path.GetFileName(inner);
            if (name.StartsWith('.') || StackDetector.Skipped.Contains(name))
            {
                continue;
            }

            foreach (var project in Find(root, Path.Combine(below, name), depth + 1))
            {
                yield return project;
            }
        }
    }

    private static Project? Read(string root, string path)
    {
        var text = StackDetector.Text(root, path);
        if (text is null || text.Contains("Microsoft.NET.Test.Sdk"))
        {
            return null;
        }

        var isWeb = text.Contains("\"Microsoft.NET.Sdk.Web\"");
        var isWorker = text.Contains("\"Microsoft.NET.Sdk.Worker\"");
        var named = AssemblyName().Match(text);
        var assembly = named.Success ? named.Groups["name"].Value : Path.GetFileNameWithoutExtension(path);
        return isWeb || isWorker ? new Project(path, assembly, isWeb) : null;
    }

    private static string Unique(string name, HashSet<string> taken)
    {
        var unique = name;
        for (var i = 2; !taken.Add(unique); i++)
        {
            unique = $"{name[..Math.Min(name.Length, 36)]}-{i}";
        }

        return unique;
    }

    private static string Quote(string path) => SafePath().IsMatch(path) ? path : $"'{path.Replace("'", "'\\''")}'";

    [GeneratedRegex("<AssemblyName>(?<name>[^<$]+)</AssemblyName>", RegexOptions.ExplicitCapture)]
    private static partial Regex AssemblyName();

    [GeneratedRegex(@"^[A-Za-z0-9./_-]+\z")]
    private static partial Regex SafePath();
}
