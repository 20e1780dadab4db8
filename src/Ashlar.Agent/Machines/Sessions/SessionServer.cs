using System.Collections.Frozen;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Ashlar.Agent.Hosting;

namespace Ashlar.Agent.Machines.Sessions;

/// <summary>
/// Runs this program on this machine for somebody who sits at another one of the stack: <c>exec</c>, <c>logs</c> and <c>trace</c>, of which only the machine
/// itself can do its part. What runs ends when the other side goes.
/// </summary>
internal sealed class SessionServer(string program, string stackFolder, AgentLog log)
{
    private static readonly FrozenSet<string> Verbs = new[] { "exec", "logs", "trace" }.ToFrozenSet();

    /// <summary>Runs one.</summary>
    /// <exception cref="IOException">The other side has gone.</exception>
    public async Task ServeAsync(Stream stream, CancellationToken cancellation)
    {
        var request = await PeerFrames.ReadAsync(stream, MachineJson.Default.SessionRequest, cancellation);
        if (request.Arguments is not [var verb, ..] || !Verbs.Contains(verb))
        {
            throw new IOException("A session for something that no session is for.");
        }

        log.Info(LogEvent.Order, $"{verb}, asked for on another machine");
        using var process = Begin(request);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var writing = new SemaphoreSlim(1, 1);
        var input = InputAsync();
        try
        {
            await Task.WhenAll(CopyAsync(process.StandardOutput.BaseStream, SessionFrame.Output), CopyAsync(process.StandardError.BaseStream, SessionFrame.Error));
            await process.WaitForExitAsync(gone.Token);
            await SessionFrames.WriteAsync(stream, SessionFrame.Exit, SessionFrames.Number(process.ExitCode), gone.Token);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }

            await gone.CancelAsync();
            await input;
        }

        async Task CopyAsync(Stream from, SessionFrame kind)
        {
            var buffer = new byte[SessionFrames.Longest];
            while (await from.ReadAsync(buffer, gone.Token) is > 0 and var count)
            {
                await writing.WaitAsync(gone.Token);
                try
                {
                    await SessionFrames.WriteAsync(stream, kind, buffer.AsMemory(0, count), gone.Token);
                }
                finally
                {
                    writing.Release();
                }
            }
        }

        async Task InputAsync()
        {
            try
            {
                while (await SessionFrames.ReadAsync(stream, gone.Token) is (SessionFrame.Input, var content))
                {
                    await TakeAsync(content);
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                await gone.CancelAsync();
            }
        }

        // A program that reads no more is no reason to end what it still says.
        async Task TakeAsync(byte[] content)
        {
            try
            {
                if (content.Length == 0)
                {
                    process.StandardInput.Close();
                }
                else
                {
                    await process.StandardInput.BaseStream.WriteAsync(content, gone.Token);
                    await process.StandardInput.BaseStream.FlushAsync(gone.Token);
                }
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
            }
        }
    }

    private Process Begin(SessionRequest request)
    {
        try
        {
            return Process.Start(Start(request))!;
        }
        catch (Win32Exception e)
        {
            throw new IOException($"{program} cannot be started: {e.Message}", e);
        }
    }

    private ProcessStartInfo Start(SessionRequest request)
    {
        string[] command = [program, request.Arguments[0], "--stack", stackFolder, "--here", .. request.Arguments[1..]];
        var start = new ProcessStartInfo { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = stackFolder };
        if (request.Terminal is { } terminal)
        {
            // Of util-linux: gives it a terminal and passes on what goes through it.
            var size = string.Create(CultureInfo.InvariantCulture, $"stty rows {terminal.Rows} cols {terminal.Columns}; exec ");
            start.FileName = "script";
            start.Environment["SHELL"] = "/bin/sh";
            start.Environment["TERM"] = terminal.Kind;
            command = ["--quiet", "--return", "--command", size + string.Join(' ', command.Select(Quoted)), "/dev/null"];
        }
        else
        {
            (start.FileName, command) = (command[0], command[1..]);
        }

        foreach (var word in command)
        {
            start.ArgumentList.Add(word);
        }

        return start;
    }

    private static string Quoted(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
