using Ashlar.Catalog;
using Ashlar.Edge.Balancing;

namespace Ashlar.Edge.Tests.Balancing;

public sealed class WaitingRoomTests
{
    private readonly ManualTime _time = new();
    private readonly ServiceTargets _targets;
    private long _revision;

    public WaitingRoomTests() => _targets = new ServiceTargets(_time, new Random(1), Rig.Metrics, new Told());

    [Fact]
    public void A_freed_slot_goes_to_who_came_first_and_newcomers_do_not_overtake()
    {
        var web = Apply(One());
        web.Acquire(null, out var held);
        var waiters = Waiters(3, web);
        web.Release(held!, Outcome.Answered);
        Assert.Equal([1, 0, 0], waiters.Select(waiter => waiter.Wakes));
        Assert.Equal(AcquireResult.Full, web.Acquire(null, out _));
        web.Release(waiters[0].Holds!, Outcome.Answered);
        web.Release(waiters[1].Holds!, Outcome.Answered);
        web.Release(waiters[2].Holds!, Outcome.Answered);
        Assert.All(waiters, waiter => Assert.Equal((1, WaitResult.Granted), (waiter.Wakes, waiter.Woken)));
        Assert.Equal((0, 0), (web.Waiting, web.InFlight));
    }

    [Fact]
    public void The_room_is_bounded()
    {
        var web = Apply(One() with { WaitingRoom = 2 });
        web.Acquire(null, out _);
        Waiters(2, web);
        Assert.False(web.Enqueue(new TestWaiter()));
        Assert.Equal(2, web.Waiting);
    }

    [Fact]
    public void Who_waits_too_long_is_woken_in_order_of_coming()
    {
        var web = Apply(One() with { WaitingTimeoutMs = 1000 });
        web.Acquire(null, out _);
        var first = Waiters(1, web)[0];
        _time.Advance(TimeSpan.FromMilliseconds(600));
        var second = Waiters(1, web)[0];
        _time.Advance(TimeSpan.FromMilliseconds(401));
        Assert.Equal((WaitResult.TimedOut, null), (first.Woken, second.Woken));
        _time.Advance(TimeSpan.FromMilliseconds(600));
        Assert.Equal(WaitResult.TimedOut, second.Woken);
        Assert.Equal(0, web.Waiting);
    }

    [Fact]
    public void Who_leaves_is_never_woken_and_the_next_takes_its_place()
    {
        var web = Apply(One());
        web.Acquire(null, out var held);
        var waiters = Waiters(2, web);
        Assert.True(waiters[0].Leave());
        Assert.False(waiters[0].Leave());
        web.Release(held!, Outcome.Answered);
        Assert.Equal((0, 1), (waiters[0].Wakes, waiters[1].Wakes));
        Assert.False(waiters[1].Leave());
    }

    [Fact]
    public void A_waiter_can_be_used_again()
    {
        var web = Apply(One());
        web.Acquire(null, out var held);
        var waiter = Waiters(1, web)[0];
        web.Release(held!, Outcome.Answered);
        web.Release(waiter.Holds!, Outcome.Answered);
        web.Acquire(null, out held);
        Assert.True(web.Enqueue(waiter));
        web.Release(held!, Outcome.Answered);
        Assert.Equal(2, waiter.Wakes);
    }

    [Fact]
    public void A_single_instance_that_starts_again_is_waited_for()
    {
        var web = Apply(One(InstanceState.Starting));
        var waiters = Waiters(3, web);
        Apply(One());
        Assert.Equal(1, waiters.Count(waiter => waiter.Woken == WaitResult.Granted));
        Apply(One() with { RequestsPerInstance = 0 });
        Assert.All(waiters, waiter => Assert.Equal(WaitResult.Granted, waiter.Woken));
    }

    [Fact]
    public void When_the_service_is_stopped_or_removed_everyone_is_told_at_once()
    {
        var web = Apply(One(InstanceState.Starting));
        var waiters = Waiters(2, web);
        Apply(One(InstanceState.Stopping) with { Wanted = 0 });
        Assert.All(waiters, waiter => Assert.Equal(WaitResult.None, waiter.Woken));

        Apply(One(InstanceState.Starting));
        waiters = Waiters(2, web);
        _targets.Apply(Rig.Snapshot(++_revision));
        Assert.All(waiters, waiter => Assert.Equal(WaitResult.None, waiter.Woken));
        Assert.Equal(AcquireResult.None, web.Acquire(null, out _));
    }

    [Fact]
    public void A_retry_after_a_refused_connection_waits_for_the_trial_or_the_next_instance()
    {
        var web = Apply(One() with { RequestsPerInstance = 0 });
        web.Acquire(null, out var dead);
        web.Release(dead!, Outcome.Refused);
        Assert.Equal(AcquireResult.Full, web.Acquire(dead, out _));
        var waiters = Waiters(3, web);
        Assert.All(waiters, waiter => Assert.Null(waiter.Woken));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([1, 0, 0], waiters.Select(waiter => waiter.Wakes));
        web.Release(waiters[0].Holds!, Outcome.Refused);
        Assert.Equal([1, 0, 0], waiters.Select(waiter => waiter.Wakes));
        Apply(Rig.Service("web", Rig.Instance("web.1/2", port: 9001)));
        Assert.All(waiters[1..], waiter => Assert.Equal("web.1/2", waiter.Holds?.Id));
    }

    [Fact]
    public void An_answer_to_the_trial_serves_the_room_before_the_trial_ends()
    {
        var web = Apply(One() with { RequestsPerInstance = 0 });
        web.Acquire(null, out var dead);
        web.Release(dead!, Outcome.Refused);
        var waiters = Waiters(3, web);
        _time.Advance(TimeSpan.FromSeconds(1));
        waiters[0].Holds!.Succeeded();
        Assert.Equal([1, 1, 1], waiters.Select(waiter => waiter.Wakes));
    }

    private static CatalogService One(InstanceState state = InstanceState.Healthy) =>
        Rig.Service("web", Rig.Instance("web.1/1", state)) with { RequestsPerInstance = 1 };

    private static TestWaiter[] Waiters(int count, ServiceTarget service)
    {
        var waiters = Enumerable.Range(0, count).Select(_ => new TestWaiter()).ToArray();
        Assert.All(waiters, waiter => Assert.True(service.Enqueue(waiter)));
        return waiters;
    }

    private ServiceTarget Apply(CatalogService service)
    {
        _targets.Apply(Rig.Snapshot(++_revision, service));
        return _targets.Table.ByName(service.Name)!;
    }
}
