using System.Diagnostics;
using System.Text;

namespace Ashlar.Postgres;

/// <summary>What one of PostgreSQL's programs said and how it ended.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Standard output, cut off where it is endless.</param>
/// <param name="Error">Standard error, likewise.</param>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>The lines that say what is wrong, without what they quote: a statement may hold a password.</summary>
    public string Reason
    {
        get
        {
            var lines = (Error + "\n" + Output).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Where(line => !line.Contains("STATEMENT:", StringComparison.Ordinal)).ToArray();
            var telling = lines.Where(LastWords.Tells).ToArray();
            var shown = telling.Length > 0 ? telling.Take(3) : lines.TakeLast(3);
            var text = string.Join(" / ", shown);
            return text.Length == 0 ? $"exit {ExitCode}" : text.Length > 600 ? text[..600] + "…" : text;
        }
    }
}

/// <summary>Runs PostgreSQL's programs to their end while a server is prepared, and for verbs.</summary>
internal static class Tool
{
    private const int MostText = 256 * 1024;

    /// <summary>Runs one; it ends when <paramref name="cancellation"/> says so.</summary>
    /// <param name="program">Its path.</param>
    /// <param name="arguments">Its arguments: no secret among them.</param>
    /// <param name="input">Its standard input; null: none.</param>
    /// <param name="environment">Variables added to ours; null as a value takes one away.</param>
    /// <param name="onError">Told each line of standard error as it comes.</param>
    /// <param name="cancellation">Kills it.</param>
    /// <exception cref="Errors.AshlarException">ASH7008: it cannot be started.</exception>
    public static async Task<ToolResult> RunAsync(
        string program, IEnumerable<string> arguments, string? input = null, IEnumerable<KeyValuePair<string, string?>>? environment = null,
        Action<string>? onError = null, CancellationToken cancellation = default)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var name in start.Environment.Keys.Where(PostgresOptions.IsOurs).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["LC_ALL"] = "C.UTF-8";
        foreach (var (name, value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw PostgresErrors.ToolFailed(program, e.Message.TrimEnd('.'));
        }

        using (process)
        {
            var output = ReadAsync(process.StandardOutput, null);
            var error = ReadAsync(process.StandardError, onError);
            try
            {
                if (input is not null)
                {
                    await process.StandardInput.WriteAsync(input);
                }

                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It has ended before it read all: its own words say why.
            }

            try
            {
                await process.WaitForExitAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }

            return new ToolResult(process.ExitCode, await output, await error);
        }
    }

    private static async Task<string> ReadAsync(StreamReader reader, Action<string>? told)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line)
        {
            told?.Invoke(line);
            if (text.Length < MostText)
            {
                text.Append(line).Append('\n');
            }
        }

        return text.ToString();
    }
}
