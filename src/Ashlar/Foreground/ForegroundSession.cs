using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Logs;
using Ashlar.Output;

namespace Ashlar.Foreground;

/// <summary>
/// <c>ashlar up</c> at a terminal: what the stack says, who it is that says it, and one line with its state; Ctrl-C stops it,
/// unless it ran before this command: then Ctrl-C ends the view alone.
/// A hang-up ends only this view: the stack goes on.
/// </summary>
internal sealed class ForegroundSession(Cli cli, string folder) : IDisposable
{
    private const string Own = "ashlar";
    private static readonly TimeSpan Reconnect = TimeSpan.FromSeconds(5);
    private readonly LiveLine _live = new(cli.Out);
    private readonly LogPrefix _prefix = new(cli.Out);
    private StatusReport? _last;

    /// <summary>Brings the stack up and stays until it ends; the result is the exit code.</summary>
    public async Task<int> RunAsync(UpArguments arguments, CancellationToken cancellation)
    {
        using var interrupts = new Interrupts();
        using var shown = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var follower = new LogFollower(LogFolder.Of(folder), name => name != "agent", cli.Time);
        follower.SkipToEnd();
        Task logs = Task.CompletedTask;
        try
        {
            var launch = await StackLaunch.BeginAsync(cli.Agents, folder, Say, cancellation);
            await using var agent = launch.Agent;
            logs = Task.Run(() => follower.FollowAsync((instance, line) => _live.Line(_prefix.Line(instance, line)), shown.Token), CancellationToken.None);
            var stay = StayAsync(launch, arguments, interrupts, shown.Token);
            if (await Task.WhenAny(stay, interrupts.First) == stay) return await stay;

            if (launch.RanBefore)
            {
                _live.Status("");
                Say(await LeavingNote.OfAsync(cli.Agents, folder));
                return await interrupts.First;
            }

            await StopAsync(interrupts);
            await shown.CancelAsync();
            await logs; // the last words of what has stopped
            Say("stopped");
            return await interrupts.First;
        }
        finally
        {
            await shown.CancelAsync();
            await logs;
        }
    }

    /// <inheritdoc />
    public void Dispose() => _live.Dispose();

    private async Task<int> StayAsync(StackLaunch launch, UpArguments arguments, Interrupts interrupts, CancellationToken cancellation)
    {
        try
        {
            if (launch.RanBefore) Say("Ctrl-C leaves the view; the stack goes on");
            _live.Status("starting", Ink.Dim);
            var result = await launch.UpAsync(arguments, SayShort, cancellation);
            Say(UpReport.Render(cli.Out, result).TrimEnd('\n'));
            if (!launch.RanBefore) Say("Ctrl-C stops the stack; \"ashlar up --detach\" leaves it running");
        }
        catch (AshlarException) when (!(launch.RanBefore && interrupts.First.IsCompleted))
        {
            _live.Status("");
            await launch.UndoAsync(cancellation);
            throw;
        }

        while (true)
        {
            if (await cli.Agents.FindAsync(folder, cancellation) is not { } watcher) return Ended();
            await using (watcher)
            {
                try
                {
                    await foreach (var report in watcher.WatchAsync(cancellation))
                    {
                        _last = report;
                        if (!interrupts.First.IsCompleted) _live.Status(StatusLine.Render(report), StatusLine.InkOf(report));
                    }
                }
                catch (AshlarException e)
                {
                    // The agent is being replaced, hangs, or has gone: the loop finds out.
                    if (!interrupts.First.IsCompleted) _live.Status($" {_last?.Stack}  the agent does not answer: {e.Error.NextStep}", Ink.Bad);
                }
            }

            await FindAgainAsync(cancellation);
        }
    }

    private async Task FindAgainAsync(CancellationToken cancellation)
    {
        var begun = cli.Time.GetTimestamp();
        while (cli.Time.GetElapsedTime(begun) < Reconnect)
        {
            if (await cli.Agents.FindAsync(folder, cancellation) is { } agent)
            {
                await agent.DisposeAsync();
                return;
            }

            if (!SomethingRuns) return;
            await Task.Delay(TimeSpan.FromMilliseconds(100), cli.Time, cancellation);
        }
    }

    // Somebody has taken the stack down, or killed its agent alone.
    private int Ended()
    {
        if (SomethingRuns) throw AgentErrors.DoesNotAnswer(folder, 0, "it has ended; what it started goes on", "ashlar up starts an agent again, which takes it over.");
        Say("the stack has been stopped");
        return ExitCodes.Ok;
    }

    private bool SomethingRuns => _last is { SomethingRuns: true };

    private async Task StopAsync(Interrupts interrupts)
    {
        Say("stopping in order; Ctrl-C again stops at once");
        _live.Status("stopping", Ink.Warning);
        var orderly = DownAsync(now: false);
        if (await Task.WhenAny(orderly, interrupts.Second) != orderly)
        {
            Say("stopping at once");
            await DownAsync(now: true);
        }

        try
        {
            await orderly;
        }
        catch (AshlarException) when (interrupts.Second.IsCompleted)
        {
            // the second order has cut off the answer to the first
        }
    }

    private async Task DownAsync(bool now)
    {
        if (await cli.Agents.FindAsync(folder, CancellationToken.None) is not { } agent) return;
        await using (agent) await agent.DownAsync(now, Say, CancellationToken.None);
    }

    // What an instance has said last stands above already.
    private void SayShort(string text) => Say(text.Split('\n')[0].Replace(". Its last lines:", ""));

    private void Say(string text) => _live.Line(_prefix.Line(Own, text));
}
