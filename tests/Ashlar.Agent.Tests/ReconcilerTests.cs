using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;

namespace Ashlar.Agent.Tests;

/// <summary>
/// Each row: what is wanted, what is, and the steps. Wanted: <c>web.1=a</c> (name = fingerprint). Is: <c>web.1/7=a:Healthy</c>,
/// with <c>+5</c> or <c>-5</c> for something due in or since so many seconds, <c>!</c> for drained or killed.
/// Services called worker have no endpoint; edge is the tier in front; data is exclusive, and reader starts after data.1.
/// </summary>
public sealed class ReconcilerTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    // First start: the tier in front, then all services at once.
    [InlineData("web.1=a web.2=a worker.1=a edge.1=e", "", "start edge.1|start web.1|start web.2|start worker.1")]
    [InlineData("web.1=a", "web.1/1=a:Healthy", "")]
    [InlineData("web.1=a", "web.1/1=a:Starting", "")]
    [InlineData("web.1=a", "web.1/1=a:Unhealthy", "")]
    [InlineData("web.1=a", "web.1/1=a:Crashed", "")]
    // Written down but never started: it is started, or forgotten when no more wanted.
    [InlineData("web.1=a", "web.1/1=a:Pending", "restart web.1/1")]
    [InlineData("", "web.1/1=a:Pending", "forget web.1/1")]
    // Backoff.
    [InlineData("web.1=a", "web.1/1=a:Backoff+5", "")]
    [InlineData("web.1=a", "web.1/1=a:Backoff-5", "restart web.1/1")]
    [InlineData("", "web.1/1=a:Backoff+5", "forget web.1/1")]
    [InlineData("", "web.1/1=a:Backoff-5", "forget web.1/1")]
    [InlineData("web.1=b", "web.1/1=a:Backoff+5", "start web.1|forget web.1/1")]
    [InlineData("web.1=b", "web.1/1=a:Crashed", "start web.1|forget web.1/1")]
    // Replacement: new first, the old leaves when the new one is healthy.
    [InlineData("web.1=b", "web.1/1=a:Healthy", "start web.1")]
    [InlineData("web.1=b", "web.1/1=a:Healthy web.1/2=b:Starting", "")]
    [InlineData("web.1=b", "web.1/1=a:Healthy web.1/2=b:Unhealthy", "")]
    [InlineData("web.1=b", "web.1/1=a:Healthy web.1/2=b:Crashed", "")]
    [InlineData("web.1=b", "web.1/1=a:Healthy web.1/2=b:Backoff-1", "restart web.1/2")]
    [InlineData("web.1=b", "web.1/1=a:Healthy web.1/2=b:Healthy", "drain web.1/1")]
    [InlineData("worker.1=b", "worker.1/1=a:Healthy worker.1/2=b:Healthy", "stop worker.1/1")]
    [InlineData("edge.1=b", "edge.1/1=a:Healthy", "start edge.1")]
    [InlineData("edge.1=b", "edge.1/1=a:Healthy edge.1/2=b:Starting", "")]
    [InlineData("edge.1=b", "edge.1/1=a:Healthy edge.1/2=b:Healthy", "drain edge.1/1")]
    // One slot at a time, and the next only when the old one is gone.
    [InlineData("web.1=b web.2=b", "web.1/1=a:Healthy web.2/2=a:Healthy", "start web.1")]
    [InlineData("web.1=b web.2=b", "web.1/1=a:Healthy web.2/2=a:Healthy web.1/3=b:Healthy", "drain web.1/1")]
    [InlineData("web.1=b web.2=b", "web.1/1=a:Draining+9 web.2/2=a:Healthy web.1/3=b:Healthy", "")]
    [InlineData("web.1=b web.2=b", "web.1/1=a:Stopping+9 web.2/2=a:Healthy web.1/3=b:Healthy", "")]
    [InlineData("web.1=b web.2=b", "web.2/2=a:Healthy web.1/3=b:Healthy", "start web.2")]
    // A new instance that failed halts the roll.
    [InlineData("web.1=b web.2=b", "web.1/1=a:Healthy web.2/2=a:Healthy web.1/3=b:Crashed", "")]
    // Taking the release back: the new ones go, what ran is left alone.
    [InlineData("web.1=a web.2=a", "web.1/1=a:Healthy web.2/2=a:Healthy web.1/3=b:Crashed", "forget web.1/3")]
    [InlineData("web.1=a web.2=a", "web.1/1=a:Healthy web.2/2=a:Healthy web.1/3=b:Starting", "stop web.1/3")]
    // A roll overtaken by another: one old one is enough.
    [InlineData("web.1=c", "web.1/1=a:Healthy web.1/2=b:Starting", "stop web.1/2")]
    [InlineData("web.1=c", "web.1/1=a:Healthy web.1/2=b:Stopping+9", "")]
    // Services roll independently of each other.
    [InlineData("web.1=b api.1=b", "web.1/1=a:Healthy api.1/2=a:Healthy", "start web.1|start api.1")]
    // Scaling.
    [InlineData("web.1=a web.2=a web.3=a", "web.1/1=a:Healthy", "start web.2|start web.3")]
    [InlineData("web.1=a", "web.1/1=a:Healthy web.2/2=a:Healthy web.3/3=a:Healthy", "drain web.3/3|drain web.2/2")]
    [InlineData("web.1=a web.2=a", "web.1/1=a:Healthy web.2/2=a:Unhealthy web.3/3=a:Healthy", "")]
    [InlineData("web.1=a", "web.1/1=a:Healthy web.2/2=a:Starting", "stop web.2/2")]
    [InlineData("", "web.1/1=a:Healthy web.2/2=a:Healthy", "drain web.2/2|drain web.1/1")]
    [InlineData("web.2=a", "web.1/1=a:Healthy web.2/2=a:Healthy", "drain web.1/1")]
    // A slot that is wanted again while its last instance leaves.
    [InlineData("web.1=a", "web.1/1=a:Draining+9", "start web.1")]
    [InlineData("web.1=a", "web.1/1=a:Stopped", "forget web.1/1|start web.1")]
    // What shares data with its successor ends before that one starts, one after the other, the highest index first.
    [InlineData("data.1=b", "data.1/1=a:Healthy", "stop data.1/1")]
    [InlineData("data.1=b", "data.1/1=a:Stopping+9", "")]
    [InlineData("data.1=b", "data.1/1=a:Stopped", "forget data.1/1|start data.1")]
    [InlineData("data.1=b data.2=b", "data.1/1=a:Healthy data.2/2=a:Healthy", "stop data.2/2")]
    [InlineData("data.1=b data.2=b", "data.1/1=a:Healthy data.2/3=b:Starting", "")]
    [InlineData("data.1=b data.2=b", "data.1/1=a:Healthy data.2/3=b:Healthy", "stop data.1/1")]
    [InlineData("data.1=b data.2=b", "data.1/1=a:Healthy data.2/2=a:Stopped", "forget data.2/2|start data.2")]
    [InlineData("data.1=b data.2=b", "", "start data.1")]
    [InlineData("data.1=b", "data.1/1=a:Crashed", "start data.1|forget data.1/1")]
    [InlineData("data.1=a", "data.1/1=a:Healthy data.2/2=a:Healthy", "stop data.2/2")]
    // What stands on something waits for it at its start while it is on its way, and does not once that has failed.
    [InlineData("reader.1=a data.1=a", "", "start data.1")]
    [InlineData("reader.1=a data.1=a", "data.1/1=a:Starting", "")]
    [InlineData("reader.1=a data.1=a", "data.1/1=a:Healthy", "start reader.1")]
    [InlineData("reader.1=a data.1=a", "data.1/1=a:Backoff+9", "start reader.1")]
    [InlineData("reader.1=a data.1=b", "data.1/1=a:Healthy reader.1/2=a:Healthy", "stop data.1/1")]
    [InlineData("reader.1=b data.1=b", "data.1/1=a:Healthy reader.1/2=a:Healthy", "stop data.1/1")]
    // One that hangs is restarted: the one that has hung longest, and only while all others of its service run.
    [InlineData("web.1=a", "web.1/1=a:Unhealthy+5", "")]
    [InlineData("web.1=a", "web.1/1=a:Unhealthy-5", "recycle web.1/1")]
    [InlineData("web.1=a web.2=a", "web.1/1=a:Unhealthy-5 web.2/2=a:Unhealthy-9", "recycle web.2/2")]
    [InlineData("web.1=a web.2=a", "web.1/1=a:Unhealthy-5 web.2/2=a:Unhealthy-9!", "")]
    [InlineData("web.1=a web.2=a", "web.1/1=a:Unhealthy-5 web.2/2=a:Starting", "")]
    [InlineData("web.1=a web.2=a", "web.1/1=a:Unhealthy-5 web.2/2=a:Backoff+3", "")]
    [InlineData("web.1=a web.2=a", "web.1/1=a:Unhealthy-5 web.2/2=a:Crashed+3", "")]
    [InlineData("web.1=a api.1=a", "web.1/1=a:Unhealthy-5 api.1/2=a:Starting", "recycle web.1/1")]
    // Leaving, step by step.
    [InlineData("", "web.1/1=a:Draining+9", "")]
    [InlineData("", "web.1/1=a:Draining+9!", "stop web.1/1")]
    [InlineData("", "web.1/1=a:Draining-1", "stop web.1/1")]
    [InlineData("", "web.1/1=a:Stopping+9", "")]
    [InlineData("", "web.1/1=a:Stopping-1", "kill web.1/1")]
    [InlineData("", "web.1/1=a:Stopping-1!", "")]
    [InlineData("", "web.1/1=a:Stopped", "forget web.1/1")]
    public void StepsFollowFromWhatIsWantedAndWhatIs(string desired, string observed, string steps) =>
        Assert.Equal(steps, Words(Reconciler.Reconcile(Desired(desired), Observed(observed), Now, World.Tiers)));

    [Theory]
    [InlineData("edge.1/1=e:Healthy web.1/2=a:Healthy worker.1/3=a:Healthy", "stop worker.1/3")]
    [InlineData("edge.1/1=e:Healthy web.1/2=a:Healthy worker.1/3=a:Stopping+9", "")]
    [InlineData("edge.1/1=e:Healthy web.1/2=a:Healthy worker.1/3=a:Stopped", "forget worker.1/3|drain web.1/2")]
    [InlineData("edge.1/1=e:Healthy web.1/2=a:Healthy web.2/4=a:Backoff+9", "forget web.2/4|drain web.1/2")]
    [InlineData("edge.1/1=e:Healthy web.1/2=a:Draining+9!", "stop web.1/2")]
    [InlineData("edge.1/1=e:Healthy", "drain edge.1/1")]
    [InlineData("edge.1/1=e:Starting", "stop edge.1/1")]
    public void GoingDownStopsWorkersFirstAndTheEdgeLast(string observed, string steps) =>
        Assert.Equal(steps, Words(Reconciler.Reconcile(Desired("web.1=a"), Observed(observed), Now, World.Tiers, Shutdown.InOrder)));

    [Fact]
    public void GoingDownNowKillsAllAtOnce()
    {
        var observed = Observed("edge.1/1=e:Healthy web.1/2=a:Draining+9 worker.1/3=a:Backoff+9 web.2/4=a:Stopping-1!");
        var result = Reconciler.Reconcile([], observed, Now, World.Tiers, Shutdown.Now);
        Assert.Equal("kill edge.1/1|kill web.1/2|forget worker.1/3", Words(result));
    }

    [Fact]
    public void ItSaysWhenTimeAloneMakesSomethingDue()
    {
        var result = Reconciler.Reconcile(Desired("web.1=a"), Observed("web.1/1=a:Backoff+7 web.2/2=a:Draining+3"), Now, World.Tiers);
        Assert.Equal(Now.AddSeconds(3), result.WakeAt);
        Assert.Null(Reconciler.Reconcile(Desired("web.1=a"), Observed("web.1/1=a:Healthy"), Now, World.Tiers).WakeAt);
    }

    [Fact]
    public void WhatIsAwaitedForATimeIsAwaitedNoLonger()
    {
        var patience = TimeSpan.FromSeconds(15);
        var (engine, reader) = (World.Want("data", 1, "a") with { AwaitedFor = patience }, World.Want("reader", 1, "a"));
        var starting = World.Observe(engine, 1) with { Started = Now };
        ReconcileResult At(TimeSpan later, params ObservedInstance[] observed) => Reconciler.Reconcile([engine, reader], observed, Now + later, World.Tiers);

        Assert.Equal("start data.1", Words(At(TimeSpan.Zero)));
        Assert.Equal(("", Now + patience), (Words(At(TimeSpan.Zero, starting)), At(TimeSpan.Zero, starting).WakeAt));
        Assert.Equal("start reader.1", Words(At(patience, starting)));
        Assert.Equal("start reader.1", Words(At(TimeSpan.Zero, starting with { State = InstanceState.Healthy })));
    }

    [Fact]
    public void ADryRunListsTheWholeRoll()
    {
        var steps = DryRun.Steps(Desired("web.1=b web.2=b"), Observed("web.1/1=a:Healthy web.2/2=a:Healthy"), World.Tiers);
        Assert.Equal(
            ["start web.1", "drain web.1", "stop web.1", "start web.2", "drain web.2", "stop web.2"],
            steps.Select(s => s.Describe()));
    }

    private static DesiredInstance[] Desired(string text) => [.. Words(text).Select(word =>
    {
        var (name, fingerprint) = Split(word, '=');
        var (service, index) = Split(name, '.');
        return World.Want(service, int.Parse(index), fingerprint);
    })];

    private static ObservedInstance[] Observed(string text) => [.. Words(text).Select(word =>
    {
        var (id, rest) = Split(word, '=');
        var (name, generation) = Split(id, '/');
        var (service, index) = Split(name, '.');
        var (fingerprint, state) = Split(rest, ':');
        var flag = state.EndsWith('!');
        state = state.TrimEnd('!');
        var at = state.IndexOfAny(['+', '-']);
        var observed = World.Observe(World.Want(service, int.Parse(index), fingerprint), long.Parse(generation));
        return observed with
        {
            State = Enum.Parse<InstanceState>(at < 0 ? state : state[..at]),
            DueAt = at < 0 ? null : Now.AddSeconds(int.Parse(state[at..])),
            Drained = flag,
            Killed = flag,
            Condemned = flag,
        };
    })];

    private static string Words(ReconcileResult result) => string.Join('|', result.Steps.Select(s => s switch
    {
        Step.Start start => $"start {start.Instance.Name}",
        Step.Restart restart => $"restart {restart.Id}",
        Step.MarkDraining drain => $"drain {drain.Id}",
        Step.Stop stop => $"stop {stop.Id}",
        Step.Kill kill => $"kill {kill.Id}",
        Step.Forget forget => $"forget {forget.Id}",
        Step.Recycle recycle => $"recycle {recycle.Id}",
        _ => throw new InvalidOperationException(s.ToString()),
    }));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static (string Left, string Right) Split(string text, char separator)
    {
        var at = text.IndexOf(separator);
        return (text[..at], text[(at + 1)..]);
    }
}
