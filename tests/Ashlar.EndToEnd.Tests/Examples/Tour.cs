using System.Text.RegularExpressions;

namespace Ashlar.EndToEnd.Examples;

/// <summary>The commands of a page, each with the output shown beneath it.</summary>
internal static partial class Tour
{
    /// <summary>Reads indented blocks: <c>$ command</c>, and what it says until the next one.</summary>
    public static IReadOnlyList<TourStep> Read(string page)
    {
        var steps = new List<TourStep>();
        List<string>? shown = null;
        foreach (var line in page.Split('\n'))
        {
            if (line.StartsWith("    $ ", StringComparison.Ordinal))
            {
                steps.Add(new TourStep(line[6..].Trim(), shown = []));
            }
            else if (!line.StartsWith("    ", StringComparison.Ordinal) && line.Length > 0)
            {
                shown = null;
            }
            else if (line.Trim() is { Length: > 0 } text)
            {
                shown?.Add(text);
            }
        }

        return steps;
    }

    /// <summary>A line without what differs from one run to the next: numbers, times, sizes, ids, widths of columns.</summary>
    public static string Stable(string line) =>
        Spaces().Replace(Amounts().Replace(Numbers().Replace(Ids().Replace(line, "#"), "#"), "#"), " ").Trim();

    [GeneratedRegex(@"\b([0-9a-f]{12,}|01[0-9A-Z]{24})\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Ids();

    [GeneratedRegex(@"\d+([.,:T-]\d+)*Z?", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"#( ?(B|KiB|MiB|GiB|ms|µs|s|m|h|%)\b)?( #( ?(m|s))\b)*", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Amounts();

    [GeneratedRegex(@"[\s·─━├└│]+", RegexOptions.None, 1000)]
    private static partial Regex Spaces();
}

/// <summary>A command and what is shown of its output; <c>…</c> stands for anything, and lines may be left out.</summary>
internal sealed partial record TourStep(string Command, IReadOnlyList<string> Shown)
{
    /// <summary>True: it is shown to fail.</summary>
    public bool Fails => Shown.Any(line => line.StartsWith("error ASH", StringComparison.Ordinal));

    /// <summary>True: it changes nothing, so it may be asked again.</summary>
    public bool Looks => Looking().IsMatch(Command);

    /// <summary>The first of the shown lines that is not there, in their order; null: all are.</summary>
    public string? MissingIn(string output)
    {
        using var lines = output.Split('\n').Select(Tour.Stable).GetEnumerator();
        foreach (var shown in Shown.Where(line => line != "…"))
        {
            var expected = new Regex($"^{string.Join(".*", Tour.Stable(shown).Split('…').Select(part => Regex.Escape(part.Trim())))}$", RegexOptions.None, TimeSpan.FromSeconds(1));
            do
            {
                if (!lines.MoveNext())
                {
                    return shown;
                }
            }
            while (!expected.IsMatch(lines.Current));
        }

        return null;
    }

    [GeneratedRegex(@"^ashlar (status|ps|trace|cache explain|certificates|jobs($| list| schedule)|logs|dns explain|releases)|^curl (?!.*-d )", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Looking();
}
