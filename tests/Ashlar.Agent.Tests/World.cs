using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Agent.Tests;

/// <summary>A world in which the reconciler's steps are carried out and things go wrong at random.</summary>
internal sealed class World(Random random)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private long _generation;

    public static System.Collections.Immutable.ImmutableArray<string> Tiers { get; } = ["services", "edge", "data"];

    public DateTimeOffset Now { get; set; } = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public List<DesiredInstance> Desired { get; } = [];

    public List<ObservedInstance> Observed { get; } = [];

    /// <summary>Chance that a start fails, by fingerprint; others always become healthy.</summary>
    public HashSet<string> Bad { get; } = [];

    public static DesiredInstance Want(string service, int index, string fingerprint) => new()
    {
        Tier = service switch { "edge" => "edge", "data" => "data", _ => "services" },
        Service = service,
        Index = index,
        Fingerprint = fingerprint,
        HasEndpoint = service is not ("edge" or "worker" or "data"),
        Exclusive = service == "data",
        After = service == "reader" || (service == "data" && index > 1) ? ["data.1"] : [],
        Readiness = service switch { "edge" => Readiness.Channel, "worker" => Readiness.Alive, "data" => Readiness.Probe, _ => Readiness.Http },
        Launch = new LaunchSpec { Command = ["true"], WorkingDirectory = "/", LogPath = "/dev/null", Tag = "" },
    };

    public static ObservedInstance Observe(DesiredInstance desired, long generation) => new()
    {
        Tier = desired.Tier,
        Service = desired.Service,
        Index = desired.Index,
        Generation = generation,
        Fingerprint = desired.Fingerprint,
        State = InstanceState.Starting,
        HasEndpoint = desired.HasEndpoint,
        Readiness = desired.Readiness,
        StopGrace = Grace,
    };

    /// <summary>Wants exactly so many of a service, all of one kind.</summary>
    public void Want(string service, int count, string fingerprint, int from)
    {
        Desired.RemoveAll(d => d.Service == service);
        Desired.AddRange(Enumerable.Range(from, count).Select(i => Want(service, i, fingerprint)));
    }

    public ReconcileResult Reconcile(Shutdown shutdown = Shutdown.No) => Reconciler.Reconcile(Desired, Observed, Now, Tiers, shutdown);

    public void Apply(Step step)
    {
        switch (step)
        {
            case Step.Start start:
                Observed.Add(Observe(start.Instance, ++_generation));
                break;
            case Step.Restart restart:
                Change(restart.Id, o => o with { State = InstanceState.Starting, DueAt = null, Condemned = false, Restarts = o.Restarts + 1 });
                break;
            case Step.MarkDraining drain:
                Change(drain.Id, o => o with { State = InstanceState.Draining, DueAt = Now + Grace });
                break;
            case Step.Stop stop:
                Change(stop.Id, o => o with { State = InstanceState.Stopping, DueAt = Now + Grace });
                break;
            case Step.Kill kill:
                Change(kill.Id, o => o with { State = InstanceState.Stopping, Killed = true });
                break;
            case Step.Recycle recycle:
                var hanging = Observed.Single(o => o.Id == recycle.Id);
                Assert.All(Observed.Where(o => o.Service == hanging.Service), o => Assert.True(
                    o is { State: InstanceState.Healthy or InstanceState.Unhealthy, Condemned: false }, $"{o.Id} is {o.State}, and {hanging.Id} is restarted"));
                Change(recycle.Id, o => o with { Condemned = true, DueAt = Now + Grace });
                break;
            case Step.Forget forget:
                var gone = Observed.Single(o => o.Id == forget.Id);
                Assert.False(gone.Alive, $"{gone.Id} was forgotten while it runs: an orphan");
                Observed.Remove(gone);
                break;
        }
    }

    /// <summary>Something happens to one instance, or time passes.</summary>
    public void Happen(bool failures)
    {
        if (Observed.Count == 0 || random.Next(6) == 0)
        {
            Now = Now.AddSeconds(random.Next(1, 20));
            return;
        }

        var o = Observed[random.Next(Observed.Count)];
        switch (o.State)
        {
            case InstanceState.Starting when Bad.Contains(o.Fingerprint):
            case InstanceState.Healthy or InstanceState.Unhealthy when failures && random.Next(8) == 0:
                Change(o.Id, x => x.Restarts >= 4
                    ? x with { State = InstanceState.Crashed }
                    : x with { State = InstanceState.Backoff, DueAt = Now.AddSeconds(random.Next(1, 60)) });
                break;
            case InstanceState.Starting:
                Change(o.Id, x => x with { State = InstanceState.Healthy });
                break;
            case InstanceState.Healthy when failures && random.Next(8) == 0:
                Change(o.Id, x => x with { State = InstanceState.Unhealthy, DueAt = Now.AddSeconds(random.Next(1, 60)) });
                break;
            case InstanceState.Unhealthy when o.Condemned:
                Change(o.Id, x => x with { State = InstanceState.Backoff, DueAt = Now.AddSeconds(1) });
                break;
            case InstanceState.Unhealthy when failures && random.Next(3) > 0:
                break;
            case InstanceState.Unhealthy:
                Change(o.Id, x => x with { State = InstanceState.Healthy });
                break;
            case InstanceState.Draining:
                Change(o.Id, x => x with { Drained = true });
                break;
            case InstanceState.Stopping when o.Killed || random.Next(2) == 0:
                Change(o.Id, x => x with { State = InstanceState.Stopped });
                break;
        }
    }

    /// <summary>Slots of a service in which something is healthy.</summary>
    public int Healthy(string service) =>
        Observed.Where(o => o.Service == service && o.State == InstanceState.Healthy).Select(o => o.Index).Distinct().Count();

    public void Change(string id, Func<ObservedInstance, ObservedInstance> change)
    {
        var at = Observed.FindIndex(o => o.Id == id);
        Observed[at] = change(Observed[at]);
    }
}
