using System.Text.RegularExpressions;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.BadInput;

/// <summary>An error as a person meets it: <c>error CODE (TIER): CAUSE</c>, and beneath it <c>next: STEP</c>.</summary>
internal sealed partial record Refusal(string Code, string Tier, string Cause, string Next)
{
    /// <summary>The error of a program that failed with the exit code expected.</summary>
    public static Refusal Of(ProgramResult result, int exitCode)
    {
        Assert.True(result.ExitCode == exitCode, $"expected exit {exitCode}, got {result}");
        var match = Form().Match(result.Error);
        Assert.True(match.Success, $"no error of the usual form:\n{result}");
        return new Refusal(match.Groups["code"].Value, match.Groups["tier"].Value, match.Groups["cause"].Value, match.Groups["next"].Value);
    }

    /// <summary>Holds it to its code and tier, and to the names and numbers of the case.</summary>
    public Refusal Is(string code, string tier, params string[] parts)
    {
        Assert.True((code, tier) == (Code, Tier), ToString());
        Assert.All(parts, part => Assert.Contains(part, Cause));
        Assert.True(Next.Length > 10, ToString());
        return this;
    }

    /// <summary>Holds what is to be done next to what it must name.</summary>
    public void Advises(string part) => Assert.Contains(part, Next);

    [GeneratedRegex(@"^error (?<code>ASH\d{4}) \((?<tier>[a-z]+)\): (?<cause>.*?)\nnext: (?<next>.*)\n\z", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Form();
}
