using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>One entry of a Procfile.</summary>
internal sealed record ProcfileEntry(string Name, string Command, Position At);

/// <summary>A Procfile: a process type and its command in each line (devcenter.heroku.com/articles/procfile).</summary>
internal sealed partial record Procfile(ImmutableArray<ProcfileEntry> Entries, string? Release)
{
    public string? CommandOf(string service) => Entries.FirstOrDefault(e => e.Name == service)?.Command;

    public static Procfile Read(SourceFile file, Report report)
    {
        var entries = ImmutableArray.CreateBuilder<ProcfileEntry>();
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        string? release = null;
        for (var number = 1; number <= file.Lines; number++)
        {
            var line = file.Line(number).ToString();
            if (line.AsSpan().Trim().IsEmpty || line.TrimStart().StartsWith('#'))
            {
                continue;
            }

            var at = new Position(file.Path, number, line.Length - line.TrimStart().Length + 1);
            var match = Entry().Match(line);
            if (!match.Success)
            {
                report.Add(StackErrors.BadProcfileLine(at));
                continue;
            }

            var name = match.Groups["name"].Value;
            var command = match.Groups["command"].Value.Trim();
            var service = Service(name, at, report);
            if (command.Length == 0)
            {
                report.Add(StackErrors.NoProcfileCommand(at, name));
            }
            else if (!places.TryAdd(service, number))
            {
                report.Add(StackErrors.DuplicateKey(at, service, places[service]));
            }
            else if (name == "release")
            {
                release = command;
            }
            else
            {
                entries.Add(new ProcfileEntry(service, command, at));
            }
        }

        return new Procfile(entries.ToImmutable(), release);
    }

    /// <summary>Heroku's names may have capitals and underscores, ours are DNS labels.</summary>
    private static string Service(string name, Position at, Report report)
    {
        if (Names.IsLabel(name))
        {
            return name;
        }

        var fitted = Names.Fit(name, "service");
        report.Add(StackErrors.NameFitted(at, name, fitted));
        return fitted;
    }

    [GeneratedRegex(@"^\s*(?<name>[A-Za-z0-9_-]+)\s*:(\s+(?<command>.*))?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Entry();
}
