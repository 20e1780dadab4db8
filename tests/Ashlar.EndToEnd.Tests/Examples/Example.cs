using System.Globalization;
using System.Text.RegularExpressions;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Examples;

/// <summary>A copy of one of the examples that the README runs, with a port of its own.</summary>
internal static class Example
{
    /// <summary>The stack; what the example's own file says stands first.</summary>
    public static StackRig Copy(string name)
    {
        var source = Path.Combine(Checkout.Root, "examples", name);
        var yaml = Path.Combine(source, "ashlar.yaml");
        var text = File.Exists(yaml) ? File.ReadAllText(yaml) : "";
        const string Listen = "\nedge:\n  listen: {http: \"127.0.0.1:@PORT@\"}\n";
        text = text.Contains("127.0.0.1:8080", StringComparison.Ordinal) ? OnPortsOfItsOwn(text)
            : text.Contains("\nedge:\n", StringComparison.Ordinal) ? text.Replace("\nedge:\n", Listen) : text + Listen;
        var rig = new StackRig(text, name);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Where(IsSource))
        {
            var copy = Path.Combine(rig.Folder, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return rig;

        bool IsSource(string file) => file != yaml
            && !Path.GetRelativePath(source, file).Split('/').Any(part => part is "bin" or "obj" or "out" or ".ashlar");
    }

    /// <summary>The port of a copy that is served over TLS too.</summary>
    public static int SecurePort(this StackRig rig) => PortOf(rig, @"https: 127\.0\.0\.1:(\d+)");

    /// <summary>The port of its name server.</summary>
    public static int DnsPort(this StackRig rig) => PortOf(rig, @"dns:\n  listen: 127\.0\.0\.1:(\d+)");

    /// <summary>Changes a file of the copy.</summary>
    public static void Edit(this StackRig rig, string file, string from, string to)
    {
        var path = Path.Combine(rig.Folder, file);
        var text = File.ReadAllText(path);
        Assert.Contains(from, text);
        File.WriteAllText(path, text.Replace(from, to));
    }

    private static string OnPortsOfItsOwn(string text) => text.Replace("127.0.0.1:8080", "127.0.0.1:@PORT@")
        .Replace("127.0.0.1:8443", $"127.0.0.1:{Ports.Free()}").Replace("127.0.0.1:5300", $"127.0.0.1:{Ports.Free()}");

    private static int PortOf(StackRig rig, string line) => int.Parse(
        Regex.Match(File.ReadAllText(Path.Combine(rig.Folder, "ashlar.yaml")), line, RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
}
