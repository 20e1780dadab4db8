using System.Collections.Immutable;
using System.Diagnostics;
using Ashlar.Agent;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Bench;

/// <summary>
/// A round of a fleet of 100 machines with 50 instances each, one of which is lost: the leader places all 5,000, and a machine finds what of it
/// is its own and what it has to do. In memory; no store, no process.
/// </summary>
internal static class ReconcileRound
{
    private const int Machines = 100;
    private const int Services = 25;
    private const int Each = 200;
    private static readonly StackDefinition s_stack = new() { Name = "bench", Directory = "/" };
    private static readonly PlanContext s_context = new() { Stack = s_stack, Release = "v1", ReleaseFolder = "/", StateFolder = "/", Program = "/", ProgramVersion = "" };

    /// <summary>Milliseconds of each round: the placement, one machine's part with its steps, and the latter for all machines.</summary>
    public static (double[] Placement, double[] One, double[] All) Run(int rounds)
    {
        ImmutableArray<DesiredInstance> plan = [.. from s in Enumerable.Range(1, Services) from i in Enumerable.Range(1, Each) select Instance($"service-{s}", i)];
        var target = new Target { Stack = s_stack, Instances = plan };
        var names = Enumerable.Range(1, Machines).Select(i => $"machine-{i}").ToArray();
        var view = new FleetView
        {
            Records = names.ToImmutableSortedDictionary(n => n, n => new MachineRecord { Name = n, Address = "10.0.0.1", PeerPort = 1, HopPort = 2, Memory = 64L << 30, Cores = 32 }),
            Placement = new PlacementRecord(),
        };
        var now = Stopwatch.GetTimestamp();
        view = view with { Placement = FleetPlacement.Compute(view, target, now) };
        var observed = names.ToDictionary(n => n, n => Observe(plan, view.Placement!, n));
        view = view with { SilentSince = view.SilentSince.Add(names[^1], now - (60 * Stopwatch.Frequency)) };

        var (placement, one, all) = (new double[rounds], new double[rounds], new double[rounds]);
        for (var round = -rounds; round < rounds; round++) // The first half warms up.
        {
            var clock = Stopwatch.StartNew();
            var next = FleetPlacement.Compute(view, target, now)!;
            var placed = clock.Elapsed.TotalMilliseconds;
            Settle(names[0], next);
            var first = clock.Elapsed.TotalMilliseconds - placed;
            foreach (var name in names.Skip(1))
            {
                Settle(name, next);
            }

            if (round >= 0)
            {
                (placement[round], one[round], all[round]) = (placed, first, clock.Elapsed.TotalMilliseconds - placed);
            }
        }

        return (placement, one, all);

        void Settle(string name, PlacementRecord next)
        {
            var (here, _) = new MachinePart(name, next, null).Split(s_context, plan);
            Reconciler.Reconcile(here, observed[name], DateTimeOffset.UnixEpoch, Tiers.StopOrder);
        }
    }

    private static ObservedInstance[] Observe(ImmutableArray<DesiredInstance> plan, PlacementRecord placement, string machine) =>
    [
        .. new MachinePart(machine, placement, null).Split(s_context, plan).Here.Select((d, i) => new ObservedInstance
        {
            Tier = d.Tier, Service = d.Service, Index = d.Index, Generation = i, Fingerprint = d.Fingerprint, State = InstanceState.Healthy, Readiness = d.Readiness,
        }),
    ];

    private static DesiredInstance Instance(string service, int index) => new()
    {
        Tier = Tiers.Services,
        Service = service,
        Index = index,
        Fingerprint = "f",
        Readiness = Readiness.Alive,
        Launch = new LaunchSpec
        {
            Command = ["true"],
            Environment = ImmutableSortedDictionary<string, string>.Empty,
            WorkingDirectory = "/",
            LogPath = "",
            Tag = "",
            Memory = 256 << 20,
            Cpu = 0.1,
        },
    };
}
