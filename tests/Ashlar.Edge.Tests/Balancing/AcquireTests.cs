using Ashlar.Catalog;
using Ashlar.Edge.Balancing;

namespace Ashlar.Edge.Tests.Balancing;

public sealed class AcquireTests
{
    private readonly Told _told = new();
    private readonly ManualTime _time = new();
    private readonly ServiceTargets _targets;
    private long _revision;

    public AcquireTests() => _targets = new ServiceTargets(_time, new Random(1), Rig.Metrics, _told);

    [Fact]
    public void Round_robin_takes_one_after_the_other()
    {
        var web = Apply(Three() with { Balance = "round-robin" });
        Assert.Equal(["web.1", "web.2", "web.3", "web.1"], Enumerable.Range(0, 4).Select(_ => Take(web)!.Name));
    }

    [Fact]
    public void Least_requests_evens_out_what_is_in_flight()
    {
        var web = Apply(Three());
        for (var i = 0; i < 300; i++)
        {
            Take(web);
        }

        Assert.All(web.Instances, instance => Assert.InRange(instance.InFlight, 95, 105));
    }

    [Theory]
    [InlineData("round-robin")]
    [InlineData("least-requests")]
    public void Only_healthy_instances_are_taken(string balance)
    {
        var web = Apply(Rig.Service("web", [.. Enum.GetValues<InstanceState>().Select((state, i) => Rig.Instance($"web.{i}/1", state))]) with { Balance = balance });
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal("web.2/1", Take(web)!.Id);
        }
    }

    [Fact]
    public void At_the_limit_of_every_instance_the_service_is_full()
    {
        var web = Apply(Three() with { RequestsPerInstance = 2 });
        var held = Enumerable.Range(0, 6).Select(_ => Take(web)!).ToList();
        Assert.All(web.Instances, instance => Assert.Equal(2, instance.InFlight));
        Assert.Equal(AcquireResult.Full, web.Acquire(null, out _));
        web.Release(held[0], Outcome.Answered);
        Assert.Same(held[0], Take(web));
    }

    [Theory]
    [InlineData(InstanceState.Starting, 1, AcquireResult.Full)]
    [InlineData(InstanceState.Backoff, 1, AcquireResult.Full)]
    [InlineData(InstanceState.Unhealthy, 1, AcquireResult.Full)]
    [InlineData(InstanceState.Stopping, 0, AcquireResult.None)]
    [InlineData(InstanceState.Draining, 1, AcquireResult.Full)]
    [InlineData(InstanceState.Crashed, 1, AcquireResult.None)]
    [InlineData(InstanceState.Stopped, 0, AcquireResult.None)]
    public void With_none_healthy_waiting_has_a_point_only_while_one_is_to_come(InstanceState state, int wanted, AcquireResult result)
    {
        var web = Apply(Rig.Service("web", Rig.Instance("web.1/1", state)) with { Wanted = wanted });
        Assert.Equal(result, web.Acquire(null, out _));
        Assert.Equal(result == AcquireResult.Full, web.Enqueue(new TestWaiter()));
    }

    [Fact]
    public void A_retry_goes_elsewhere_and_comes_back_only_if_there_is_no_other()
    {
        var web = Apply(Rig.Service("web", Rig.Instance("web.1/1"), Rig.Instance("web.2/1")) with { RequestsPerInstance = 1 });
        var first = Take(web)!;
        web.Release(first, Outcome.Broken);
        Assert.Equal(AcquireResult.Acquired, web.Acquire(first, out var second));
        Assert.NotSame(first, second);
        Assert.Equal(AcquireResult.Acquired, web.Acquire(first, out var third));
        Assert.Same(first, third);
    }

    [Fact]
    public void A_refused_connection_ejects_for_a_second_that_doubles_until_an_answer()
    {
        var web = Apply(Rig.Service("web", Rig.Instance("web.1/1"), Rig.Instance("web.2/1")));
        var bad = web.Instances[0];
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 30, 30 })
        {
            FailTrial(web, bad, Outcome.Refused);
            Assert.Equal($"web.1/1 Refused {seconds}", _told.Ejected.Last());
            Assert.True(bad.IsEjected);
            Assert.All(Enumerable.Range(0, 20), _ => Assert.NotSame(bad, Take(web)));
            _time.Advance(TimeSpan.FromSeconds(seconds - 0.01));
            Assert.All(Enumerable.Range(0, 20), _ => Assert.NotSame(bad, Take(web)));
            _time.Advance(TimeSpan.FromSeconds(0.01));
        }

        var trial = TakeUntil(web, bad);
        Assert.All(Enumerable.Range(0, 20), _ => Assert.NotSame(bad, Take(web)));
        web.Release(trial, Outcome.Answered);
        Assert.False(bad.IsEjected);
        TakeUntil(web, bad);
    }

    [Fact]
    public void Other_connect_failures_eject_at_the_third_in_a_row()
    {
        var web = Apply(Rig.Service("web", Rig.Instance("web.1/1"), Rig.Instance("web.2/1")));
        var bad = web.Instances[0];
        FailTrial(web, bad, Outcome.ConnectFailed);
        FailTrial(web, bad, Outcome.ConnectFailed);
        web.Release(TakeUntil(web, bad), Outcome.Answered);
        FailTrial(web, bad, Outcome.ConnectFailed);
        FailTrial(web, bad, Outcome.ConnectFailed);
        Assert.False(bad.IsEjected);
        FailTrial(web, bad, Outcome.ConnectFailed);
        Assert.True(bad.IsEjected);
        Assert.Single(_told.Ejected);
    }

    [Fact]
    public void When_all_are_ejected_a_first_attempt_uses_any_and_a_retry_waits()
    {
        var web = Apply(Rig.Service("web", Rig.Instance("web.1/1"), Rig.Instance("web.2/1")));
        FailTrial(web, web.Instances[0], Outcome.Refused);
        FailTrial(web, web.Instances[1], Outcome.Refused);
        var any = Take(web);
        Assert.NotNull(any);
        Assert.Equal(AcquireResult.Full, web.Acquire(any, out _));
    }

    [Fact]
    public void A_trial_that_ends_without_a_verdict_lets_the_next_request_try()
    {
        var web = Apply(Rig.Service("web", Rig.Instance("web.1/1"), Rig.Instance("web.2/1")));
        var bad = web.Instances[0];
        FailTrial(web, bad, Outcome.Refused);
        _time.Advance(TimeSpan.FromSeconds(1));
        web.Release(TakeUntil(web, bad), Outcome.Abandoned);
        TakeUntil(web, bad);
    }

    [Fact]
    public void State_of_an_instance_lives_across_snapshots_as_long_as_its_id()
    {
        var web = Apply(Rig.Service("web", Rig.Instance("web.1/1")));
        var first = Take(web)!;
        Assert.Same(first, Apply(Rig.Service("web", Rig.Instance("web.1/1"), Rig.Instance("web.2/1"))).Instances[0]);
        Assert.Equal(1, first.InFlight);
        Apply(Rig.Service("web", Rig.Instance("web.1/2", port: 9001)));
        Assert.Equal("web.1/2", Take(web)!.Id);
        Assert.False(first.IsAccepting);
        Assert.Equal(["web.1/1", "web.2/1"], _told.Closed.Order());
    }

    [Fact]
    public void A_draining_instance_gets_nothing_new_and_is_told_idle_once()
    {
        var web = Apply(Rig.Service("web", Rig.Instance("web.1/1")));
        var (first, second) = (Take(web)!, Take(web)!);
        Apply(Rig.Service("web", Rig.Instance("web.1/1", InstanceState.Draining), Rig.Instance("web.1/2")));
        Assert.Equal("web.1/2", Take(web)!.Id);
        web.Release(first, Outcome.Answered);
        Assert.Empty(_told.Idle);
        web.Release(second, Outcome.Answered);
        Assert.Equal(["web.1/1"], _told.Idle);
        Apply(Rig.Service("web", Rig.Instance("web.1/1", InstanceState.Draining), Rig.Instance("web.1/2")));
        Assert.Single(_told.Idle);
        Assert.Equal(["web.1/1"], _targets.Idle.Select(instance => instance.Id));
    }

    [Fact]
    public void An_instance_that_is_idle_when_it_begins_to_drain_is_told_at_once()
    {
        Apply(Rig.Service("web", Rig.Instance("web.1/1", InstanceState.Draining), Rig.Instance("web.2/1", InstanceState.Unhealthy)));
        Assert.Equal(["web.1/1"], _told.Idle);
    }

    [Fact]
    public void Taking_and_giving_back_allocates_nothing()
    {
        var web = Apply(Three() with { RequestsPerInstance = 4 });
        web.Release(Take(web)!, Outcome.Answered);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            web.Acquire(null, out var instance);
            web.Release(instance!, Outcome.Answered);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static CatalogService Three() => Rig.Service("web", Rig.Instance("web.1/1"), Rig.Instance("web.2/1"), Rig.Instance("web.3/1"));

    private ServiceTarget Apply(CatalogService service)
    {
        _targets.Apply(Rig.Snapshot(++_revision, service));
        return _targets.Table.ByName(service.Name)!;
    }

    private static InstanceTarget? Take(ServiceTarget service) =>
        service.Acquire(null, out var instance) == AcquireResult.Acquired ? instance : null;

    private static InstanceTarget TakeUntil(ServiceTarget service, InstanceTarget wanted)
    {
        for (var i = 0; i < 1000; i++)
        {
            if (Take(service) is { } taken && taken == wanted)
            {
                return taken;
            }
        }

        throw new Xunit.Sdk.XunitException($"{wanted.Id} was never chosen");
    }

    private static void FailTrial(ServiceTarget service, InstanceTarget instance, Outcome outcome) =>
        service.Release(TakeUntil(service, instance), outcome);
}
