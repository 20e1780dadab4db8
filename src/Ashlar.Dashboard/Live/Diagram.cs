using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Monitoring;

namespace Ashlar.Dashboard.Live;

/// <summary>What runs + what was measured → what the page shows. Pure, but for the lengths of logs.</summary>
internal static class Diagram
{
    /// <summary>In <see cref="Link.From"/>: all services.</summary>
    public const string AllServices = "services";

    private const string Edge = "edge";
    private const string Services = "services";
    private const string Own = "dashboard";
    private const string NameServer = CatalogDns.Tier;
    private const string Jobs = "jobs";
    private const string State = "state";
    private const string Machine = "machine";
    private const string Database = "database";
    private const string Primary = "primary";
    private const int RateMoments = 5;
    private const int LatencyMoments = 10;
    private const int MostHappenings = 50;

    /// <summary>Builds the frame.</summary>
    /// <param name="seen">What the agent said last.</param>
    /// <param name="moments">The last minute, oldest first.</param>
    /// <param name="events">What happened lately, oldest first.</param>
    /// <param name="now">The time.</param>
    /// <param name="lengthOf">How long a log is.</param>
    public static LiveFrame Build(
        TreeWatch.Seen seen, IReadOnlyList<Moment> moments, ImmutableArray<StackEvent> events, DateTimeOffset now, Func<string, long> lengthOf)
    {
        var link = new AgentLink(seen.Connected, seen.Report is null ? 0 : seen.At.ToUnixTimeMilliseconds());
        if (seen.Report is not { } report)
        {
            return LiveFrame.Empty with { At = now.ToUnixTimeMilliseconds(), Agent = link };
        }

        var figures = new Figures(moments);
        var nodes = ImmutableArray.CreateBuilder<Node>();
        var links = ImmutableArray.CreateBuilder<Link>();
        foreach (var tier in report.Tiers)
        {
            foreach (var service in tier.Services)
            {
                Add(tier.Name, service, figures, nodes, links, lengthOf);
            }
        }

        nodes.Add(Agent(report, lengthOf));
        AddEntry(nodes, links, figures);
        var last = moments.Count > 0 ? moments[^1] : null;
        return new LiveFrame
        {
            At = now.ToUnixTimeMilliseconds(),
            Stack = report.Stack,
            Release = report.Release,
            Healthy = report.Healthy,
            Activity = report.Activity,
            Urls = report.Urls,
            Agent = link,
            Nodes = nodes.ToImmutable(),
            Links = links.ToImmutable(),
            Tightest = Bottleneck.Find([.. moments]) is { } tight && nodes.FirstOrDefault(n => n.Service == tight.Service) is { } node
                ? new Tightest(node.Id, Math.Clamp(tight.Share, 0, 1), tight.Limit, tight.Reason, tight.IsLimiting)
                : null,
            Machine = figures.Last(Machine)?.Process is { } machine
                ? new MachineFigures(Math.Round(machine.Cpu, 3), machine.CpuLimit, machine.Memory, machine.MemoryLimit)
                : null,
            Happenings = [.. events.Reverse().Take(MostHappenings).Select(e => new Happening(e.At.ToUnixTimeMilliseconds(), e.Kind, e.Subject, e.Text))],
            Problems = last?.Problems ?? [],
            Logs = [.. nodes.SelectMany(n => n.Logs.Keys)],
        };
    }

    private static void Add(
        string tier, ServiceReport service, Figures figures, ImmutableArray<Node>.Builder nodes, ImmutableArray<Link>.Builder links, Func<string, long> lengthOf)
    {
        var sample = figures.Last(service.Name);
        var node = new Node
        {
            Id = service.Name,
            Kind = Kind(tier, service),
            Title = service.Name,
            Service = service.Name,
            State = StateOf(service, service.Instances),
            Wanted = service.Wanted,
            Ready = service.Instances.Count(i => i.State == InstanceState.Healthy),
            Routes = service.Routes,
            Fill = sample?.Saturation is { } s ? new Fill(Math.Clamp(s.Share, 0, 1), s.Limit, s.Reason) : null,
            Now = sample is null ? ImmutableSortedDictionary<string, double>.Empty : Now(sample),
            Instances = [.. service.Instances.Select(Instance)],
            Logs = LogsOf(tier, service.Instances.Select(i => i.Name), lengthOf),
        };
        switch (tier)
        {
            case Edge:
                nodes.Add(figures.WithAllRequests(node with { Subtitle = "load balancer" }));
                break;
            case NameServer:
                nodes.Add(node with { Subtitle = "name server" });
                break;
            case Services:
                node = figures.WithRequests(node with { Subtitle = node.Kind == "worker" ? (service.Wanted == 0 && !service.Stopped ? "run by hand" : "no requests") : Subtitle(service) }, service.Name);
                nodes.Add(node);
                if (node.Kind == "service" && !service.Routes.IsEmpty)
                {
                    links.Add(new Link(Edge, node.Id, node.Rate, "requests"));
                }

                break;
            case Jobs:
                nodes.Add(node with { Subtitle = "job runner" });
                break;
            case State:
                nodes.Add(node with { Kind = "own", Subtitle = "state of all machines" });
                break;
            case Own:
                nodes.Add(node with { Kind = "own", Subtitle = "this page" });
                break;
            case Database when service.Instances.Any(i => i.Role is { } role && role != Primary):
                AddDatabase(service, node, figures, nodes, links, lengthOf);
                break;
            default:
                node = figures.WithRate(node with { Subtitle = EngineOf(tier, service.Name) });
                nodes.Add(node);
                links.Add(new Link(AllServices, node.Id, node.Rate, "data"));
                break;
        }
    }

    // The primary and its replicas are two nodes of one service.
    private static void AddDatabase(
        ServiceReport service, Node node, Figures figures, ImmutableArray<Node>.Builder nodes, ImmutableArray<Link>.Builder links, Func<string, long> lengthOf)
    {
        var primary = service.Instances.Where(i => i.Role == Primary || (i.Role is null && i.Name.EndsWith(".1", StringComparison.Ordinal))).ToArray();
        var replicas = service.Instances.Except(primary).ToArray();
        var first = figures.WithRate(node with
        {
            Subtitle = "PostgreSQL primary",
            Instances = [.. primary.Select(Instance)],
            State = StateOf(service with { Wanted = 1 }, primary),
            Wanted = 1,
            Ready = primary.Count(i => i.State == InstanceState.Healthy),
            Logs = LogsOf(Database, primary.Select(i => i.Name), lengthOf),
        });
        var wanted = Math.Max(0, service.Wanted - 1);
        nodes.Add(first);
        nodes.Add(node with
        {
            Id = $"{node.Id}:replicas",
            Kind = "replicas",
            Title = wanted == 1 ? "replica" : "replicas",
            Subtitle = Lag(replicas),
            Instances = [.. replicas.Select(Instance)],
            State = StateOf(service with { Wanted = wanted }, replicas),
            Wanted = wanted,
            Ready = replicas.Count(i => i.State == InstanceState.Healthy),
            Fill = null,
            Logs = LogsOf(Database, replicas.Select(i => i.Name), lengthOf),
        });
        links.Add(new Link(AllServices, first.Id, first.Rate, "data"));
        links.Add(new Link(first.Id, $"{node.Id}:replicas", null, "stream"));
    }

    private static Node Agent(StatusReport report, Func<string, long> lengthOf) => new()
    {
        Id = "agent",
        Kind = "own",
        Title = "agent",
        Subtitle = "supervisor",
        Service = "agent",
        Wanted = 1,
        Ready = 1,
        Instances = [Instance(report.Agent)],
        Logs = ImmutableSortedDictionary<string, long>.Empty.Add("agent", lengthOf("agent")),
    };

    private static void AddEntry(ImmutableArray<Node>.Builder nodes, ImmutableArray<Link>.Builder links, Figures figures)
    {
        if (nodes.FirstOrDefault(n => n.Id == Edge) is not { } edge)
        {
            return;
        }

        nodes.Insert(0, new Node { Id = "browser", Kind = "browser", Title = "browsers", Subtitle = figures.Connections(), Wanted = 0 });
        links.Insert(0, new Link("browser", Edge, edge.Rate, "requests"));
    }

    private static string Kind(string tier, ServiceReport service) => tier switch
    {
        Services => service.Instances.All(i => i.Port == 0) && service.Routes.IsEmpty ? "worker" : "service",
        "memcached" => "cache",
        _ => tier,
    };

    private static string Subtitle(ServiceReport service) => service.Routes switch
    {
        [] => "private",
        [var only] => Short(only),
        [var first, .. var rest] => $"{Short(first)} +{rest.Length}",
    };

    // All of a host is its name.
    private static string Short(string route) => route.Length > 1 ? route.TrimEnd('/') : route;

    private static string EngineOf(string tier, string service) => (tier, service) switch
    {
        (Database, _) => "PostgreSQL",
        ("queue", _) => "Redis, kept",
        (_, "memcached") => "Memcached",
        _ => "Redis, LRU",
    };

    private static string Lag(InstanceReport[] replicas)
    {
        var seconds = replicas.Max(r => r.LagSeconds);
        return seconds switch
        {
            null => "PostgreSQL",
            < 1 => "in step",
            < 120 => $"{seconds:0} s behind",
            _ => $"{seconds / 60:0} min behind",
        };
    }

    private static string StateOf(ServiceReport service, IReadOnlyCollection<InstanceReport> instances)
    {
        var ready = instances.Count(i => i.State == InstanceState.Healthy);
        return service switch
        {
            { Maintenance: true } => "maintenance",
            { Wanted: 0 } => "stopped",
            _ when ready >= service.Wanted => "ok",
            _ when instances.Any(i => i.State is InstanceState.Crashed or InstanceState.Backoff or InstanceState.Unhealthy) => ready == 0 ? "down" : "degraded",
            _ => "starting",
        };
    }

    private static ImmutableSortedDictionary<string, long> LogsOf(string tier, IEnumerable<string> instances, Func<string, long> lengthOf)
    {
        var names = tier == Edge ? instances.Prepend(LogReader.Access) : instances;
        return names.Distinct().ToImmutableSortedDictionary(name => name, lengthOf);
    }

    private static Instance Instance(InstanceReport i) => new()
    {
        Name = i.Name,
        Machine = i.Machine,
        State = i.State,
        Detail = i.Detail,
        Role = i.Role,
        Release = i.Release,
        Pids = i.Pids,
        Port = i.Port,
        Started = i.Started?.ToUnixTimeMilliseconds(),
        Restarts = i.Restarts,
        Cpu = Math.Round(i.Cpu, 3),
        Memory = i.Memory,
        LagBytes = i.LagBytes,
        LagSeconds = i.LagSeconds,
        LastLines = i.LastLines,
    };

    private static ImmutableSortedDictionary<string, double> Now(Sample sample)
    {
        var now = sample.Figures.ToBuilder();
        if (sample.Requests is { } r)
        {
            now[SeriesNames.Requests] = r.Rate;
            now[SeriesNames.Errors] = r.Errors;
            now[SeriesNames.InFlight] = r.InFlight;
            now[SeriesNames.Waiting] = r.Waiting;
            now[SeriesNames.Retries] = r.Retries;
            now[SeriesNames.BytesIn] = r.BytesIn;
            now[SeriesNames.BytesOut] = r.BytesOut;
            if (r.Latency.Count > 0)
            {
                now["p50"] = Figures.Milliseconds(r.Latency, 0.50);
                now["p95"] = Figures.Milliseconds(r.Latency, 0.95);
                now["p99"] = Figures.Milliseconds(r.Latency, 0.99);
            }
        }

        if (sample.Process is { } p)
        {
            now[SeriesNames.Cpu] = p.Cpu;
            now[SeriesNames.Memory] = p.Memory;
        }

        if (sample.Saturation is { } s)
        {
            now[SeriesNames.Saturation] = s.Share;
        }

        return now.ToImmutable();
    }

    /// <summary>The last minute, asked by service.</summary>
    private sealed class Figures(IReadOnlyList<Moment> moments)
    {
        public static double Milliseconds(HistogramSnapshot histogram, double quantile) => Math.Round(histogram.Quantile(quantile) / 1000, 2);

        public Sample? Last(string service) => moments.Count == 0 ? null : moments[^1].Find(service);

        public string Connections() => Last(Edge)?.Requests is { Connections: var open and > 0 } ? $"{open:0} connections" : "";

        public Node WithRequests(Node node, string service) => With(node, Recent(service));

        // What this page asks goes through the edge too, and is nobody's traffic.
        public Node WithAllRequests(Node node)
        {
            var own = Recent(Own).ToLookup(r => r.At, r => r.Requests);
            return With(node, [.. Recent(Edge).Select(r => (r.At, Without(r.Requests, own[r.At].FirstOrDefault())))]);
        }

        private static RequestFigures Without(RequestFigures all, RequestFigures? own) => own is null ? all : all with
        {
            Rate = Math.Max(0, all.Rate - own.Rate),
            Classes = [.. all.Classes.Zip(own.Classes, (a, b) => Math.Max(0, a - b))],
            InFlight = Math.Max(0, all.InFlight - own.InFlight),
            Latency = all.Latency.Since(own.Latency),
        };

        private (DateTimeOffset At, RequestFigures Requests)[] Recent(string service) =>
        [
            .. moments.TakeLast(LatencyMoments).Where(m => m.Span > TimeSpan.Zero)
                .Select(m => (m.At, m.Find(service)?.Requests)).Where(m => m.Requests is not null).Select(m => (m.At, m.Requests!)),
        ];

        private static Node With(Node node, (DateTimeOffset At, RequestFigures Requests)[] recent)
        {
            var lately = recent.Select(r => r.Requests).ToArray();
            if (lately.Length == 0)
            {
                return node;
            }

            var rated = lately.TakeLast(RateMoments).ToArray();
            var (rate, errors) = (rated.Average(r => r.Rate), rated.Average(r => r.Errors));
            var latency = lately.Aggregate(HistogramSnapshot.Empty, (sum, r) => sum.Plus(r.Latency));
            return node with
            {
                Rate = Math.Round(rate, 2),
                ErrorShare = rate <= 0 ? null : Math.Round(Math.Min(1, errors / rate), 5),
                P95 = latency.Count == 0 ? null : Milliseconds(latency, 0.95),
                Now = node.Now.SetItem(SeriesNames.InFlight, lately[^1].InFlight),
            };
        }

        public Node WithRate(Node node)
        {
            var (name, unit) = node.Kind == Database ? ("database_transactions", "tx/s") : ("engine_commands", "ops/s");
            var lately = Samples(node.Service, RateMoments).Select(s => s.Figure(name)).OfType<double>().ToArray();
            return node with { Unit = unit, Rate = lately.Length == 0 ? null : Math.Round(lately.Average(), 2) };
        }

        private IEnumerable<Sample> Samples(string service, int count) =>
            moments.TakeLast(count).Where(m => m.Span > TimeSpan.Zero).Select(m => m.Find(service)).OfType<Sample>();
    }
}
