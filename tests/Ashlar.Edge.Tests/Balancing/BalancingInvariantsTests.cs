using System.Collections.Concurrent;
using Ashlar.Catalog;
using Ashlar.Edge.Balancing;

namespace Ashlar.Edge.Tests.Balancing;

/// <summary>What must hold whatever happens in whatever order: by random steps on one thread, and by threads that race.</summary>
public sealed class BalancingInvariantsTests
{
    private static readonly InstanceState[] _states =
        [InstanceState.Healthy, InstanceState.Healthy, InstanceState.Healthy, InstanceState.Starting, InstanceState.Unhealthy, InstanceState.Draining];

    [Fact]
    public void Random_steps_keep_limit_order_and_health()
    {
        for (var seed = 1; seed <= 150; seed++)
        {
            Play(seed, steps: 400);
        }
    }

    [Fact]
    [Trait("Length", "Full")]
    public void Random_steps_keep_limit_order_and_health_in_a_long_run()
    {
        for (var seed = 1; seed <= 20_000; seed++)
        {
            Play(seed, steps: 1000);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    public void Racing_loops_lose_no_waiter_and_never_pass_the_limit(int instances, int limit)
    {
        const int Loops = 4, Requests = 2000;
        var targets = new ServiceTargets(Rig.Metrics, new Told());
        targets.Apply(Rig.Snapshot(1, Service(instances, limit)));
        var web = targets.Table.ByName("web")!;
        var inFlight = new ConcurrentDictionary<string, int>();
        var problems = new ConcurrentQueue<string>();
        var loops = Enumerable.Range(0, Loops).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < Requests; i++)
            {
                if (web.Acquire(null, out var instance) != AcquireResult.Acquired)
                {
                    var place = new BlockingWaiter();
                    if (!web.Enqueue(place))
                    {
                        problems.Enqueue("turned away");
                        continue;
                    }

                    if (!place.Wait(out instance))
                    {
                        problems.Enqueue("never woken");
                        return;
                    }
                }

                if (inFlight.AddOrUpdate(instance!.Id, 1, static (_, n) => n + 1) > limit)
                {
                    problems.Enqueue("above the limit");
                }

                Thread.Yield();
                inFlight.AddOrUpdate(instance.Id, 0, static (_, n) => n - 1);
                web.Release(instance, Outcome.Answered);
            }
        })).ToList();
        loops.ForEach(loop => loop.Start());
        loops.ForEach(loop => loop.Join());
        Assert.Empty(problems);
        Assert.Equal((0, 0), (web.InFlight, web.Waiting));
    }

    [Fact]
    public void A_drain_amid_racing_requests_is_told_idle_exactly_once_and_only_when_nothing_is_in_flight()
    {
        for (var round = 0; round < 50; round++)
        {
            var told = new Told();
            var targets = new ServiceTargets(Rig.Metrics, told);
            targets.Apply(Rig.Snapshot(1, Service(2, 0)));
            var web = targets.Table.ByName("web")!;
            var draining = web.Instances[0];
            var stop = 0;
            var loops = Enumerable.Range(0, 3).Select(_ => new Thread(() =>
            {
                while (Volatile.Read(ref stop) == 0)
                {
                    if (web.Acquire(null, out var instance) == AcquireResult.Acquired)
                    {
                        web.Release(instance!, Outcome.Answered);
                    }
                }
            })).ToList();
            loops.ForEach(loop => loop.Start());
            var service = Service(2, 0);
            targets.Apply(Rig.Snapshot(2, service with { Instances = service.Instances.SetItem(0, service.Instances[0] with { State = InstanceState.Draining }) }));
            Assert.True(SpinWait.SpinUntil(() => !told.Idle.IsEmpty, TimeSpan.FromSeconds(30)));
            Assert.Equal(0, draining.InFlight);
            Volatile.Write(ref stop, 1);
            loops.ForEach(loop => loop.Join());
            Assert.Equal([draining.Id], told.Idle);
        }
    }

    private static CatalogService Service(int instances, int limit) =>
        Rig.Service("web", [.. Enumerable.Range(1, instances).Select(i => Rig.Instance($"web.{i}/1", port: 9000 + i))]) with
        {
            RequestsPerInstance = limit,
            WaitingTimeoutMs = 60_000,
        };

    private static void Play(int seed, int steps)
    {
        var random = new Random(seed);
        var time = new ManualTime();
        var targets = new ServiceTargets(time, new Random(seed), Rig.Metrics, new Told());
        var limit = random.Next(4);
        var service = Service(1 + random.Next(4), limit) with
        {
            Balance = random.Next(2) == 0 ? "round-robin" : "least-requests",
            WaitingRoom = random.Next(6),
            WaitingTimeoutMs = 2000,
        };
        targets.Apply(Rig.Snapshot(1, service));
        var web = targets.Table.ByName("web")!;
        var held = new List<InstanceTarget>();
        var room = new List<OrderedWaiter>();
        var log = new List<OrderedWaiter>();
        var step = 0;
        try
        {
            for (; step < steps; step++)
            {
                switch (random.Next(10))
                {
                    case < 4:
                        if (web.Acquire(random.Next(4) == 0 ? held.FirstOrDefault() : null, out var taken) == AcquireResult.Acquired)
                        {
                            Assert.Equal(InstanceState.Healthy, service.Instances.Single(i => i.Id == taken!.Id).State);
                            held.Add(taken!);
                        }
                        else
                        {
                            var waiter = new OrderedWaiter(log);
                            if (web.Enqueue(waiter))
                            {
                                room.Add(waiter);
                            }
                        }

                        break;
                    case < 7 when held.Count > 0:
                        var released = held[random.Next(held.Count)];
                        held.Remove(released);
                        web.Release(released, (Outcome)random.Next(5));
                        break;
                    case 7 when room.Count > 0:
                        var leaver = room[random.Next(room.Count)];
                        Assert.Equal(leaver.Woken is null, leaver.Leave());
                        room.Remove(leaver);
                        break;
                    case 8:
                        time.Advance(TimeSpan.FromMilliseconds(random.Next(1500)));
                        break;
                    default:
                        service = service with
                        {
                            Instances = [.. service.Instances.Select(i => i with { State = random.Next(3) == 0 ? _states[random.Next(_states.Length)] : i.State })],
                        };
                        targets.Apply(Rig.Snapshot(step + 2, service));
                        break;
                }

                // Granted in the order of coming; every one woken is out of the room, every other still in it.
                Assert.Equal(log.Where(w => w.Woken == WaitResult.Granted), log.Where(w => w.Woken == WaitResult.Granted).OrderBy(w => w.Number));
                held.AddRange(log.Where(w => w.Holds is not null).Select(w => w.Holds!));
                log.ForEach(w => Assert.Equal(1, w.Wakes));
                room.RemoveAll(log.Contains);
                log.Clear();
                Assert.Equal(room.Count, web.Waiting);
                Assert.True(web.Waiting <= service.WaitingRoom);
                Assert.All(web.Instances, i => Assert.Equal(held.Count(h => h == i), i.InFlight));
                Assert.True(limit == 0 || web.Instances.All(i => i.InFlight <= limit));

                // Nobody waits while an instance is free that may be taken.
                Assert.False(room.Count > 0 && web.Instances.Any(i => i.IsAccepting && !i.IsEjected && (limit == 0 || i.InFlight < limit)));
            }

            time.Advance(TimeSpan.FromMinutes(2));
            Assert.Equal(0, web.Waiting);
        }
        catch (Exception e)
        {
            Assert.Fail($"seed {seed}, step {step}: {e}");
        }
    }

    private sealed class OrderedWaiter(List<OrderedWaiter> log) : Waiter
    {
        private static int _last;

        public int Number { get; } = Interlocked.Increment(ref _last);

        public int Wakes { get; private set; }

        public WaitResult? Woken { get; private set; }

        public InstanceTarget? Holds { get; private set; }

        protected internal override void Wake(WaitResult result, InstanceTarget? instance)
        {
            Wakes++;
            Woken = result;
            Holds = instance;
            log.Add(this);
        }
    }

    private sealed class BlockingWaiter : Waiter
    {
        private readonly TaskCompletionSource<InstanceTarget?> _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Wait(out InstanceTarget? instance)
        {
            instance = _woken.Task.Wait(TimeSpan.FromSeconds(30)) ? _woken.Task.Result : null;
            return instance is not null;
        }

        protected internal override void Wake(WaitResult result, InstanceTarget? instance) => _woken.SetResult(instance);
    }
}
