using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Ashlar.Catalog;

namespace Ashlar.Dashboard.Live;

/// <summary>All that the page shows at one moment. It is whole: a page that has missed some needs only the latest.</summary>
internal sealed record LiveFrame
{
    /// <summary>Nothing known yet.</summary>
    public static LiveFrame Empty { get; } = new() { Agent = new AgentLink(false, 0) };

    /// <summary>Milliseconds since 1970.</summary>
    public long At { get; init; }

    /// <summary>Name of the stack; empty: not known yet.</summary>
    public string Stack { get; init; } = "";

    /// <summary>Release that runs.</summary>
    public string Release { get; init; } = "";

    /// <summary>True: every wanted instance is healthy.</summary>
    public bool Healthy { get; init; }

    /// <summary>What is going on now.</summary>
    public string Activity { get; init; } = "";

    /// <summary>Where the stack answers.</summary>
    public ImmutableArray<string> Urls { get; init; } = [];

    /// <summary>Whether what is said of states is fresh.</summary>
    public required AgentLink Agent { get; init; }

    /// <summary>From the browser to the replicas.</summary>
    public ImmutableArray<Node> Nodes { get; init; } = [];

    /// <summary>Who sends to whom.</summary>
    public ImmutableArray<Link> Links { get; init; } = [];

    /// <summary>What is nearest to its limit; null: nothing known.</summary>
    public Tightest? Tightest { get; init; }

    /// <summary>The machine.</summary>
    public MachineFigures? Machine { get; init; }

    /// <summary>What happened in the last hour, newest first.</summary>
    public ImmutableArray<Happening> Happenings { get; init; } = [];

    /// <summary>What cannot be measured, in words.</summary>
    public ImmutableArray<string> Problems { get; init; } = [];

    /// <summary>Names of the logs that may be read.</summary>
    [JsonIgnore]
    public ImmutableHashSet<string> Logs { get; init; } = [];
}

/// <summary>The agent, as the dashboard reaches it.</summary>
/// <param name="Connected">False: it does not answer.</param>
/// <param name="Seen">When it said something last, in milliseconds since 1970; 0: never.</param>
internal sealed record AgentLink(bool Connected, long Seen);

/// <summary>A node of the diagram.</summary>
internal sealed record Node
{
    /// <summary>Unique: <c>browser</c>, <c>edge</c>, <c>web</c>, <c>database:replicas</c>.</summary>
    public required string Id { get; init; }

    /// <summary><c>browser</c>, <c>edge</c>, <c>service</c>, <c>worker</c>, <c>database</c>, <c>replicas</c>, <c>cache</c>, <c>queue</c>, <c>own</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Name for people.</summary>
    public required string Title { get; init; }

    /// <summary>What it is, in a word or two: <c>PostgreSQL primary</c>.</summary>
    public string Subtitle { get; init; } = "";

    /// <summary>Service whose series it shows; empty: none.</summary>
    public string Service { get; init; } = "";

    /// <summary><c>ok</c>, <c>starting</c>, <c>degraded</c>, <c>down</c>, <c>stopped</c> or <c>maintenance</c>.</summary>
    public string State { get; init; } = "ok";

    /// <summary>Instances wanted.</summary>
    public int Wanted { get; init; }

    /// <summary>Instances that are healthy.</summary>
    public int Ready { get; init; }

    /// <summary>Public routes.</summary>
    public ImmutableArray<string> Routes { get; init; } = [];

    /// <summary>Requests, transactions or commands a second over the last seconds; null: it has none.</summary>
    public double? Rate { get; init; }

    /// <summary>What is counted: <c>req/s</c>, <c>tx/s</c>, <c>ops/s</c>.</summary>
    public string Unit { get; init; } = "req/s";

    /// <summary>Part of the requests that failed, 0 to 1.</summary>
    public double? ErrorShare { get; init; }

    /// <summary>Milliseconds; null: no request.</summary>
    public double? P95 { get; init; }

    /// <summary>How near to its limit.</summary>
    public Fill? Fill { get; init; }

    /// <summary>Values of its series in the last second, by name; times in milliseconds.</summary>
    public ImmutableSortedDictionary<string, double> Now { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>Its instances.</summary>
    public ImmutableArray<Instance> Instances { get; init; } = [];

    /// <summary>Names of its logs, with how long each is.</summary>
    public ImmutableSortedDictionary<string, long> Logs { get; init; } = ImmutableSortedDictionary<string, long>.Empty;
}

/// <summary>An instance.</summary>
internal sealed record Instance
{
    public required string Name { get; init; }

    /// <summary>Where it runs; empty: the stack stands on one machine.</summary>
    public string Machine { get; init; } = "";

    public required InstanceState State { get; init; }

    public string Detail { get; init; } = "";

    public string? Role { get; init; }

    public string Release { get; init; } = "";

    public ImmutableArray<int> Pids { get; init; } = [];

    public int Port { get; init; }

    /// <summary>Start in milliseconds since 1970; null: it does not run.</summary>
    public long? Started { get; init; }

    public int Restarts { get; init; }

    /// <summary>Cores.</summary>
    public double Cpu { get; init; }

    /// <summary>Bytes.</summary>
    public long Memory { get; init; }

    public long? LagBytes { get; init; }

    public double? LagSeconds { get; init; }

    /// <summary>Only when it failed.</summary>
    public ImmutableArray<string> LastLines { get; init; } = [];
}

/// <summary>How near to a limit.</summary>
/// <param name="Share">0 to 1.</param>
/// <param name="Limit">Which.</param>
/// <param name="Reason">In words.</param>
internal sealed record Fill(double Share, string Limit, string Reason);

/// <summary>Traffic between two nodes.</summary>
/// <param name="From">Id of a node, or <c>services</c> for all of them.</param>
/// <param name="To">Id of a node.</param>
/// <param name="Rate">A second; null: not measured.</param>
/// <param name="Kind"><c>requests</c>, <c>data</c> or <c>stream</c> (replication).</param>
internal sealed record Link(string From, string To, double? Rate, string Kind);

/// <summary>The bottleneck.</summary>
/// <param name="Node">Id of the node.</param>
/// <param name="Share">0 to 1.</param>
/// <param name="Limit">Which limit.</param>
/// <param name="Reason">In words.</param>
/// <param name="Limiting">True: it holds the stack back now.</param>
internal sealed record Tightest(string Node, double Share, string Limit, string Reason, bool Limiting);

/// <summary>The machine's figures.</summary>
/// <param name="Cpu">Cores used by all that runs on it.</param>
/// <param name="Cores">Cores there are.</param>
/// <param name="Memory">Bytes used.</param>
/// <param name="MemoryTotal">Bytes there are.</param>
internal sealed record MachineFigures(double Cpu, double Cores, double Memory, double MemoryTotal);

/// <summary>Something that happened.</summary>
internal sealed record Happening(long At, string Kind, string Subject, string Text);
