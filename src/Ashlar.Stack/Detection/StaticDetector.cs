namespace Ashlar.Stack;

/// <summary>A folder of pages.</summary>
internal static class StaticDetector
{
    private static readonly string[] Roots = ["", "public", "dist", "site"];

    public static DetectedStack? Look(string folder)
    {
        var root = Array.Find(Roots, r => File.Exists(Path.Combine(folder, r, "index.html")));
        if (root is null)
        {
            return null;
        }

        string[] reasons = [$"{Path.Combine(root, "index.html")}: pages without an app, served by Python's own server until the edge serves folders itself."];
        var directory = root.Length == 0 ? "" : $" --directory {root}";
        var writer = new StackWriter(folder, "static", reasons)
            .Service("web", ("run", $"python3 -m http.server $PORT --bind 127.0.0.1{directory}"), ("route", "/"))
            .Hints();
        return new DetectedStack("static", writer.Finish(), [.. reasons]);
    }
}
