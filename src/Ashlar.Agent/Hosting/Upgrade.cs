using System.Collections;
using System.Diagnostics;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Supervision;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Agent.Hosting;

/// <summary>
/// Becomes another build of the program in place: same pid, so every child stays a child, and the lock and the listening
/// sockets stay open. The new program adopts what runs and replaces the tiers, generation over generation.
/// </summary>
internal sealed class Upgrade(
    AgentLoop loop, InstanceTable table, Listeners listeners, AgentLock taken, SystemdNotifier notifier, AgentOptions options, AgentLog log)
{
    private static readonly TimeSpan TrialPatience = TimeSpan.FromSeconds(20);

    /// <summary>Does it; returns only by throwing, with the old program going on.</summary>
    /// <exception cref="AshlarException">ASH4017.</exception>
    public async Task RunAsync(string program)
    {
        await TryAsync(program);
        await loop.InvokeAsync<bool>(async () =>
        {
            await table.SaveAsync();
            var (names, sockets) = listeners.ToHandDown();
            var descriptors = names.Zip(sockets, (name, socket) => KeyValuePair.Create(name, socket.Number))
                .Append(KeyValuePair.Create(Inherited.Lock, taken.Descriptor)).ToArray();
            log.Info(LogEvent.Upgrade, $"becomes {program}");
            notifier.Reloading();
            try
            {
                var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                    .ToDictionary(e => (string)e.Key, e => (string)e.Value!, StringComparer.Ordinal);
                environment[Inherited.Variable] = Inherited.Leave(descriptors);
                ExecInPlace.Run(program, [program, "agent", "--stack", options.StackFolder], environment, options.StackFolder);
                throw new UnreachableException();
            }
            catch (AshlarException e)
            {
                Inherited.Keep(descriptors);
                notifier.Ready(Environment.ProcessId);
                throw AgentErrors.UpgradeFailed(program, e.Error.Message.TrimEnd('.'), e);
            }
        });
    }

    // After the execve there is no way back: so the program first shows that it runs at all.
    private static async Task TryAsync(string program)
    {
        try
        {
            var start = new ProcessStartInfo(program, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var trial = Process.Start(start) ?? throw new IOException("it cannot be started");
            using var patience = new CancellationTokenSource(TrialPatience);
            try
            {
                await trial.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException e)
            {
                trial.Kill();
                throw new IOException("it does not answer to --version", e);
            }

            if (trial.ExitCode != 0)
            {
                throw new IOException($"'{program} --version' ends with exit {trial.ExitCode}");
            }
        }
        catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw AgentErrors.UpgradeFailed(program, e.Message.TrimEnd('.'), e);
        }
    }
}
