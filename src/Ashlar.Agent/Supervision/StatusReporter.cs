using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Agent.Publishing;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;
using Ashlar.Engines.Etcd;
using Ashlar.Stack;

namespace Ashlar.Agent.Supervision;

/// <summary>Says how the stack is, for <c>ps</c>, <c>status</c> and whoever watches.</summary>
internal sealed class StatusReporter(
    AgentLoop loop, Supervisor supervisor, DesiredStore desired, Listeners listeners, UsageMonitor usage, TierWatches watches, AgentOptions options, string programVersion,
    FleetLink? fleet, TimeProvider time)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private readonly RequestRate _requests = new(options.State.Metrics, time);
    private readonly DateTimeOffset _began = time.GetUtcNow();

    /// <summary>What is to be known of the edge's certificates. Called on the loop.</summary>
    public Func<IEnumerable<string>> CertificateNotes { get; set; } = () => [];

    /// <summary>The present state.</summary>
    /// <param name="activity">What is being carried out.</param>
    public async Task<StatusReport> ReportAsync(string activity)
    {
        var rate = _requests.PerSecond();
        return await loop.AskAsync(() => Build(activity) with { RequestsPerSecond = rate });
    }

    /// <summary>Gives the state at once and at every change, at most five times a second, and once a second for the figures.</summary>
    /// <param name="activity">What is being carried out.</param>
    /// <param name="give">Takes a report.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task WatchAsync(Func<string> activity, Action<StatusReport> give, CancellationToken cancellation)
    {
        using var changed = new SemaphoreSlim(1, 1);
        void Settled()
        {
            if (changed.CurrentCount == 0)
            {
                changed.Release();
            }
        }

        await loop.AskAsync(() => supervisor.Settled.Add(Settled));
        try
        {
            while (true)
            {
                await changed.WaitAsync(LongestPause, cancellation);
                give(await ReportAsync(activity()));
                await Task.Delay(ShortestPause, time, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            await loop.AskAsync(() => supervisor.Settled.Remove(Settled));
        }
    }

    /// <summary>Releases that something still runs.</summary>
    public Task<ImmutableHashSet<string>> ReleasesInUseAsync() => loop.AskAsync(() =>
        supervisor.View.Observed.Select(o => o.Release).Append(supervisor.View.Target.Release).Where(r => r.Length > 0).ToImmutableHashSet());

    /// <summary>Where the stack answers.</summary>
    public Task<ImmutableArray<string>> UrlsAsync() => loop.AskAsync(() => Urls(supervisor.View.Target.Stack));

    /// <summary>What the other machines are told of this one.</summary>
    /// <param name="standing">How far it is with the orders. Called on the loop.</param>
    public Task<MachineReport> ForOthersAsync(Func<View, Standing> standing) => loop.AskAsync(() =>
    {
        var view = supervisor.View;
        var stands = standing(view);
        return new MachineReport
        {
            Name = fleet!.Own.Name,
            ProgramVersion = programVersion,
            Protocol = PeerFrames.Protocol,
            CertificateUntil = fleet.Identity.ValidUntil,
            Pursues = stands.Pursued,
            Reached = view.WithoutState().IsReached,
            CarriedOut = stands.CarriedOut,
            Failure = stands.Failure,
            Notes = fleet.Notes,
            // What changes every second is asked for when somebody looks.
            Instances = [.. view.Observed.Select(o => new MachineInstance(o.Id, o.Tier, o.Service, o.Index, o.HasEndpoint, Instance(o) with { Cpu = 0, Memory = 0, LagBytes = null, LagSeconds = null, Pids = [] }))],
        };
    });

    private StatusReport Build(string activity)
    {
        var view = supervisor.View;
        // Also what is stopped: a service of which nothing runs is still one of the stack.
        var names = view.Target.Stack.Services.Select(s => (Tier: Tiers.Services, Service: s.Name))
            .Concat(Stopped(view.Target))
            .Concat(view.Target.Instances.Concat(view.Target.Elsewhere).Select(d => (d.Tier, d.Service)))
            .Concat(view.Observed.Select(o => (o.Tier, o.Service)))
            .Concat(supervisor.Remote().Select(r => (r.Instance.Tier, r.Instance.Service))).ToHashSet();
        return new StatusReport
        {
            Stack = view.Target.Stack.Name,
            Directory = options.StackFolder,
            Release = view.Target.Release,
            Urls = view.Target.Release.Length == 0 ? [] : Urls(view.Target.Stack),
            Healthy = view.Target.Instances.Length > 0 && view.Shutdown == Shutdown.No && view.IsReached && (fleet is null or { IsDeaf: false, View.IsReached: true }),
            Activity = view.Shutdown != Shutdown.No ? "down" : view.Trouble is { } trouble ? trouble.ToString() : activity,
            ProgramVersion = programVersion,
            Notes =
            [
                .. fleet?.View.State is { } held && !StateCare.HasSpare(held) ? [$"the state has {StateCare.Spare(held, fleet.View.Records.Count)}"] : ImmutableArray<string>.Empty,
                .. fleet is null ? [] : MachineList.Warnings(fleet, time.GetUtcNow()),
                .. CertificateNotes(),
            ],
            Agent = Agent(),
            Tiers = [.. Tiers.All.Select(t => t.Name).Where(t => names.Any(n => n.Tier == t)).Select(t => Tier(t, view, names))],
        };
    }

    // What people have stopped of Ashlar's own tiers.
    private static IEnumerable<(string Tier, string Service)> Stopped(Target target) => target.Context is { Stopped.IsEmpty: false } context
        ? Tiers.Plan(context with { Stopped = [] }).Where(d => d.Tier != Tiers.Services).Select(d => (d.Tier, d.Service))
        : [];

    private TierReport Tier(string tier, View view, HashSet<(string Tier, string Service)> names)
    {
        // Services in the order of the file, then those that are no more in it.
        var declared = view.Target.Stack.Services.Select(s => s.Name).ToArray();
        var here = names.Where(n => n.Tier == tier).Select(n => n.Service);
        var services = tier == Tiers.Services ? declared.Union(here) : here.Order(StringComparer.Ordinal);
        return new TierReport(tier, [.. services.Select(s => Service(tier, s, view))]);
    }

    private ServiceReport Service(string tier, string service, View view)
    {
        var routes = view.Target.Service(service)?.Routes ?? [];
        var wanted = view.Target.Instances.Concat(view.Target.Elsewhere).Where(d => d.Tier == tier && d.Service == service).ToArray();
        var observed = view.Observed.Where(o => o.Tier == tier && o.Service == service).ToArray();
        var remote = supervisor.Remote().Where(r => r.Instance.Tier == tier && r.Instance.Service == service).ToArray();
        var waiting = wanted.Where(d => !observed.Any(o => o.Name == d.Name) && !remote.Any(r => r.Instance.Report.Name == d.Name))
            .Select(d => (d.Index, new InstanceReport
            {
                Name = d.Name,
                State = InstanceState.Pending,
                Release = d.Release,
                Machine = fleet?.View.Placement?.Machines.GetValueOrDefault(d.Name) ?? "",
                Detail = fleet?.View.Placement?.Pending.GetValueOrDefault(d.Name) ?? supervisor.Fence?.WhyNot(d, view.Target) ?? "",
            }));
        var instances = observed.Select(o => (o.Index, Instance(o)))
            .Concat(remote.Select(r => (r.Instance.Index, r.Instance.Report with { Machine = r.Machine.Name })))
            .Concat(waiting).OrderBy(i => i.Index).ThenBy(i => i.Item2.Machine, StringComparer.Ordinal).Select(i => i.Item2);
        return new ServiceReport(
            service, Wanted(tier, wanted.Length, remote.Length), desired.State.Maintenance.Contains(service), [.. routes.Select(Show)], [.. instances])
        {
            Stopped = wanted.Length == 0 && view.Target.Service(service) is not { Instances: 0 },
        };
    }

    // Every machine has an edge and a name server, and those that hold the state a member of etcd: no plan of one machine counts those of the others.
    private int Wanted(string tier, int planned, int remote) =>
        fleet is null || planned + remote == 0 ? planned
        : Tiers.IsEverywhere(tier) ? Math.Max(planned, fleet.View.Records.Count)
        : tier == EtcdTier.Tier ? planned + remote
        : planned;

    private InstanceReport Instance(ObservedInstance o)
    {
        var used = o.Process is { } process ? usage.Of(process.Pid) : null;
        var fact = o.Process is null ? null : watches.FactOf(o.Name);
        return new InstanceReport
        {
            Name = o.Name,
            Machine = fleet?.Own.Name ?? "",
            State = o.State,
            Detail = fact is { Detail.Length: > 0 } ? fact.Detail : o.State is InstanceState.Backoff or InstanceState.Crashed && o.DueAt is { } due
                ? $"{o.Detail}, next start in {Math.Max(0, Math.Ceiling((due - time.GetUtcNow()).TotalSeconds)):0} s"
                : o.Detail,
            Release = o.Release,
            Pids = used?.Pids ?? [],
            Started = o.Process is null ? null : o.Started,
            Port = o.Port,
            Cpu = used?.Cpu ?? 0,
            Memory = used?.Memory ?? 0,
            Restarts = o.Restarts,
            Role = fact?.Role,
            LagBytes = fact?.LagBytes,
            LagSeconds = fact?.LagSeconds,
            LastLines = o.State is InstanceState.Backoff or InstanceState.Crashed ? o.LastLines : [],
        };
    }

    private InstanceReport Agent()
    {
        var used = usage.Of(Environment.ProcessId);
        return new InstanceReport
        {
            Name = "agent",
            State = InstanceState.Healthy,
            Pids = [Environment.ProcessId],
            Started = _began,
            Cpu = used.Cpu,
            Memory = used.Memory,
        };
    }

    private ImmutableArray<string> Urls(StackDefinition stack)
    {
        var http = PortOf(secure: false) ?? stack.Edge.Http.Port;
        var plain = stack.Domains.Prepend(HostOf(stack.Edge.Http)).Distinct().Select(name => Url("http", name, http, 80));
        return stack.Edge.Https is not { } https ? [.. plain]
            : [.. stack.Domains.DefaultIfEmpty(HostOf(https)).Select(name => Url("https", name, PortOf(secure: true) ?? https.Port, 443)), .. plain];
    }

    private int? PortOf(bool secure) => listeners.All.FirstOrDefault(l => l is { Service: null, Hop: false, Forward: null, Tier: null } && l.Tls == secure)?.Port;

    private static string Url(string scheme, string host, int port, int usual) => port == usual ? $"{scheme}://{host}" : $"{scheme}://{host}:{port}";

    private static string HostOf(ListenAddress listen) =>
        listen.Address is "0.0.0.0" or "::" ? "localhost" : listen.Address.Contains(':') ? $"[{listen.Address}]" : listen.Address;

    private static string Show(RouteDefinition route) => $"{route.Host}{route.PathPrefix}";
}
