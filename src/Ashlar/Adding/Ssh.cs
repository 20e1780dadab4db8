using System.ComponentModel;
using System.Diagnostics;

namespace Ashlar.Adding;

/// <summary>
/// Runs commands on another host by the ssh client of this one. Keys, known hosts, jumps and passwords are ssh's own affair, as its configuration
/// says; what is secret goes through stdin.
/// </summary>
/// <param name="command">The client with its options: <c>ssh -p 2222</c>.</param>
/// <param name="destination">Whom to reach: <c>USER@HOST</c>, or a name of ssh's configuration.</param>
internal sealed class Ssh(IReadOnlyList<string> command, string destination)
{
    private const int MostWords = 20;

    /// <summary>Whom it reaches.</summary>
    public string Destination => destination;

    /// <summary>A text as one word of a shell (POSIX.1-2017, Shell Command Language 2.2.2).</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "'\\''")}'";

    /// <summary>Runs a script of a POSIX shell there.</summary>
    /// <param name="step">What it is for, for errors.</param>
    /// <param name="script">The script. It stands in the command lines of both hosts: no secrets.</param>
    /// <param name="input">Writes its stdin; null: it is empty.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>What it printed.</returns>
    /// <exception cref="Errors.AshlarException">ASH6032, with the last that was said there.</exception>
    public async Task<string> RunAsync(string step, string script, Func<Stream, CancellationToken, Task>? input, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in command.Skip(1).Append(destination).Append($"exec sh -c {Quote(script)}"))
        {
            start.ArgumentList.Add(word);
        }

        using var process = Begin(start, step);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellation), process.StandardError.ReadToEndAsync(cancellation));
        try
        {
            await FeedAsync(process, input, cancellation);
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        if (process.ExitCode == 0) return await output;
        var words = (await error + "\n" + await output).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(MostWords).ToArray();
        throw CliErrors.AddFailed(
            destination, step, words.Length == 0 ? $"it ended with {process.ExitCode}" : string.Join(" / ", words),
            process.ExitCode == 255 ? $"See that this works: {string.Join(' ', command)} {destination} true" : "Repeat the command when it is put right: what was done is not done twice.");
    }

    private Process Begin(ProcessStartInfo start, string step)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw CliErrors.AddFailed(destination, step, $"{command[0]}: {e.Message}", "Install an ssh client (apt install openssh-client), or name one by --ssh.");
        }
    }

    // A remote side that ends without reading all says why by its exit code.
    private static async Task FeedAsync(Process process, Func<Stream, CancellationToken, Task>? input, CancellationToken cancellation)
    {
        try
        {
            if (input is not null)
            {
                await input(process.StandardInput.BaseStream, cancellation);
                await process.StandardInput.BaseStream.FlushAsync(cancellation);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
        }
    }
}
