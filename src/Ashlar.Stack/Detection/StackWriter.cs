using System.Text;
using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>Writes the text of a stack file.</summary>
internal sealed partial class StackWriter
{
    private readonly StringBuilder _text = new();

    /// <param name="folder">The app's folder, for the name.</param>
    /// <param name="kind">What was found.</param>
    /// <param name="reasons">Why the file is as it is.</param>
    public StackWriter(string folder, string kind, IEnumerable<string> reasons)
    {
        Line($"# The stack of this app ({kind}). `ashlar up` runs it, `ashlar check` checks it.");
        foreach (var reason in reasons)
        {
            Line($"# - {reason}");
        }

        Line("");
        Line($"name: {Names.Fit(Path.GetFileName(Native.RealPath(folder)), "stack")}");
        Line("# domains: [www.example.com]     # without any, every host is answered");
        Line("");
        Line("services:");
    }

    public StackWriter Line(string line)
    {
        _text.Append(line).Append('\n');
        return this;
    }

    public StackWriter Service(string name, params (string Key, string Value)[] keys)
    {
        Line($"  {name}:");
        foreach (var (key, value) in keys)
        {
            Line($"    {key}: {(key is "route" or "instances" or "interface" ? value : Scalar(value))}");
        }

        return this;
    }

    /// <summary>What the first web service may want next.</summary>
    public StackWriter Hints(string instances = "1") => Line($"    instances: {instances,-18} # more of it: each gets a PORT of its own")
        .Line("    # health: /up                 # a path that answers 200 when an instance is well")
        .Line("    # limits: {memory: 512MiB}");

    /// <summary>The end of the file, and all of it.</summary>
    public string Finish(string? release = null)
    {
        Line("");
        Line(release is null ? "# release: ./migrate              # once per release, before it rolls" : $"release: {Scalar(release)}");
        Line("");
        Line("edge:");
        Line("  listen: 127.0.0.1:8080         # 80 for all addresses of the machine");
        return _text.ToString();
    }

    /// <summary>A text as YAML's plain scalar if it can be one, else in single quotes (YAML 1.2.2, section 7.3).</summary>
    internal static string Scalar(string text)
    {
        var isNothing = string.Equals(text, "null", StringComparison.OrdinalIgnoreCase);
        return Plain().IsMatch(text) && !isNothing ? text : $"'{text.Replace("'", "''")}'";
    }

    [GeneratedRegex(@"^[A-Za-z./][A-Za-z0-9./_=$@+,-]*( [A-Za-z0-9./_=$@+,-]+|:[A-Za-z0-9$/])*\z", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Plain();
}
