namespace Ashlar.Stack;

/// <summary>An index.php, at the top or in public/.</summary>
internal static class PhpDetector
{
    public static DetectedStack? Look(string folder)
    {
        var root = File.Exists(Path.Combine(folder, "public/index.php")) ? "public" : File.Exists(Path.Combine(folder, "index.php")) ? "." : null;
        if (root is null)
        {
            return null;
        }

        List<string> reasons =
        [
            $"{(root == "." ? "" : "public/")}index.php: PHP's own server runs it. It takes one request at a time per worker, of which it has four.",
        ];
        List<(string, string)> keys = [];
        if (File.Exists(Path.Combine(folder, "composer.json")))
        {
            reasons.Add("composer.json is installed into each release.");
            keys.Add(("build", "composer install --no-dev --no-interaction"));
        }

        keys.Add(("run", $"php -S 127.0.0.1:$PORT -t {root}"));
        keys.Add(("route", "/"));
        var writer = new StackWriter(folder, "PHP", reasons).Service("web", [.. keys]).Line("    env: {PHP_CLI_SERVER_WORKERS: 4}").Hints();
        return new DetectedStack("PHP", writer.Finish(), [.. reasons]);
    }
}
