using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Ashlar.Errors;
using Ashlar.Stack;

namespace Ashlar.Postgres;

/// <summary>
/// Asks PostgreSQL itself what it thinks of settings, without a server: it reads them from a folder of their own and ends
/// (<c>postgres -C</c>, which root may run too). So it is known before a server that runs is stopped for them.
/// </summary>
internal static partial class SettingsProbe
{
    // What it asks for, which it answers only if nothing else is wrong.
    private const string Asked = "shared_buffers";
    private const string Libraries = "shared_preload_libraries";
    private const long Block = 8192;

    // It names those that it does not know first, and judges values only when it knows all; each round leaves out what was named.
    private const int MostRounds = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>What is wrong, by name of the setting; nothing if it cannot be asked.</summary>
    /// <param name="programs">Folder of the programs.</param>
    /// <param name="settings">What the stack says.</param>
    /// <param name="memory">Memory of the machine in bytes.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<IReadOnlyList<(string Name, AshlarError Error)>> AskAsync(
        string programs, IReadOnlyDictionary<string, string> settings, long memory, CancellationToken cancellation)
    {
        var left = settings.Where(s => !s.Value.AsSpan().ContainsAny('\0', '\n', '\r')).ToDictionary(StringComparer.OrdinalIgnoreCase);
        var found = new List<(string Name, AshlarError Error)>();
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Patience);
        var folder = Directory.CreateTempSubdirectory("ashlar-settings-");
        try
        {
            for (var round = 0; round < MostRounds && left.Count > 0; round++)
            {
                var result = await ReadAsync(programs, folder.FullName, left, bound.Token);
                if (result.ExitCode == 0)
                {
                    found.AddRange(TooLarge(left, result.Output, memory));
                    break;
                }

                var said = Parse(result.Error).Where(s => left.ContainsKey(s.Name)).ToArray();
                foreach (var (name, text, unknown) in said)
                {
                    found.Add((name, unknown
                        ? PostgresErrors.UnknownSetting(name, NearestName.Of(name, await NamesAsync(programs, bound.Token)))
                        : PostgresErrors.BadSetting(name, text)));
                    left.Remove(name);
                }

                if (said.Length == 0)
                {
                    break; // It cannot be asked so; the server will say.
                }
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        found.AddRange(MissingLibraries(programs, settings));
        return found;
    }

    /// <summary>What it says of each setting: the name, the sentence with its hint, and whether it does not know it.</summary>
    internal static IEnumerable<(string Name, string Text, bool Unknown)> Parse(string error)
    {
        var lines = error.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (Sentence().Match(lines[i]) is { Success: true } match)
            {
                var hint = i + 1 < lines.Length && lines[i + 1].IndexOf("HINT:  ", StringComparison.Ordinal) is >= 0 and var at ? $" {lines[i + 1][(at + 7)..].Trim()}" : "";
                var text = match.Groups["text"].Value.Trim();
                yield return (match.Groups["name"].Value, text + (hint.Length > 0 ? "." : "") + hint.TrimEnd('.'), text.StartsWith("unrecognized", StringComparison.Ordinal));
            }
        }
    }

    private static async Task<ToolResult> ReadAsync(string programs, string folder, Dictionary<string, string> settings, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in settings)
        {
            text.Append(name).Append(" = ").Append(Configuration.Quote(value)).Append('\n');
        }

        Files.Write(Path.Combine(folder, "postgresql.conf"), text.ToString());
        return await Tool.RunAsync(Path.Combine(programs, "postgres"), ["-C", Asked, "-D", folder], cancellation: cancellation);
    }

    private static async Task<IEnumerable<string>> NamesAsync(string programs, CancellationToken cancellation)
    {
        var described = await Tool.RunAsync(Path.Combine(programs, "postgres"), ["--describe-config"], cancellation: cancellation);
        return described.Output.Split('\n').Select(line => line.Split('\t')[0]).Where(name => name.Length > 0);
    }

    private static IEnumerable<(string Name, AshlarError Error)> TooLarge(Dictionary<string, string> settings, string output, long memory) =>
        settings.ContainsKey(Asked) && long.TryParse(output.Trim(), CultureInfo.InvariantCulture, out var blocks) && blocks * Block > memory
            ? [(Asked, PostgresErrors.BadSetting(Asked, $"{PostgresErrors.Size(blocks * Block)} is more than the machine has: {PostgresErrors.Size(memory)}"))] : [];

    // The folder beside that of the programs is where every distribution has them; a path of its own may lead anywhere.
    private static IEnumerable<(string Name, AshlarError Error)> MissingLibraries(string programs, IReadOnlyDictionary<string, string> settings)
    {
        var folder = Path.GetFullPath(Path.Combine(programs, "..", "lib"));
        if (!settings.TryGetValue(Libraries, out var wanted) || settings.ContainsKey("dynamic_library_path") || !Directory.Exists(folder))
        {
            yield break;
        }

        foreach (var name in wanted.Split(',').Select(part => part.Trim().Trim('"')).Where(part => part.Length > 0 && !part.Contains('/', StringComparison.Ordinal)))
        {
            if (!File.Exists(Path.Combine(folder, name)) && !File.Exists(Path.Combine(folder, $"{name}.so")))
            {
                yield return (Libraries, PostgresErrors.BadSetting(Libraries, $"there is no library {name} in {folder}"));
            }
        }
    }

    [GeneratedRegex(@"\b(LOG|FATAL|ERROR):  (?<text>.*?\bparameter ""(?<name>[^""]{1,200})"".*?)( in file "".*"" line \d+)?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Sentence();
}
