using System.Collections.Immutable;

namespace Ashlar.Catalog;

/// <summary>
/// The state of the catalog at one revision, as every tier receives it. A tier may read one that another version wrote: a member that
/// is missing there is 0, false, null or empty, so every member added gives these values a safe meaning.
/// </summary>
public sealed record CatalogSnapshot
{
    /// <summary>Grows with every change; a tier ignores an older one than it has.</summary>
    public required long Revision { get; init; }

    /// <summary>Name of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>Host names of the stack; empty: any.</summary>
    public ImmutableArray<string> Domains { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Release that runs, e.g. <c>v12</c>; empty before the first.</summary>
    public string Release { get; init; } = "";

    /// <summary>Folder of that release on this machine; empty: not said.</summary>
    public string Folder { get; init; } = "";

    /// <summary>What the edge does as a web server; null: nothing.</summary>
    public Stack.WebDefinition? Web { get; init; }

    /// <summary>Name of the machine that this snapshot is for; empty: the stack has only this one.</summary>
    public string Machine { get; init; } = "";

    /// <summary>
    /// The machines of the stack, this one included; none: the stack has only this one. Who is not listed is not served by the
    /// listener for other machines, whatever certificate it shows.
    /// </summary>
    public ImmutableArray<CatalogMachine> Machines { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The HTTP cache of the edge; null: none.</summary>
    public CatalogCache? Cache { get; init; }

    /// <summary>Sockets the agent has opened and handed down, by name.</summary>
    public ImmutableArray<CatalogListener> Listeners { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Certificates of the edge, and what it says about HTTPS.</summary>
    public CatalogTls Tls { get; init => field = value ?? new(); } = new();

    /// <summary>The data tiers' engines (<c>database</c>, <c>cache</c>, <c>queue</c>) with their instances.</summary>
    public ImmutableArray<CatalogService> Engines { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>What the DNS answers from; null: the stack has none.</summary>
    public CatalogDns? Dns { get; init; }

    /// <summary>The services that have endpoints, with their instances.</summary>
    public ImmutableArray<CatalogService> Services { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>A listening socket.</summary>
/// <param name="Name">Unique in the stack: <c>http</c>, or <c>service:api</c>.</param>
/// <param name="Address">IP literal.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Service">The service all its requests go to (a private door on loopback); null: routes decide.</param>
public sealed record CatalogListener(string Name, string Address, int Port, string? Service)
{
    /// <summary>True: it is for the stack's other machines alone, over mutual TLS.</summary>
    public bool Hop { get; init; }

    /// <summary>
    /// Instance of an engine (<c>database.1</c>) on another machine, to which all bytes of its connections go; null: it speaks HTTP.
    /// </summary>
    public string? Forward { get; init; }

    /// <summary>True: its clients speak TLS, with the certificates of <see cref="CatalogSnapshot.Tls"/>.</summary>
    public bool Tls { get; init; }

    /// <summary>The tier that it is for; null: the edge.</summary>
    public string? Tier { get; init; }

    /// <summary>True: it is a UDP socket; several of one port are divided among the threads that read them.</summary>
    public bool IsDatagram { get; init; }
}

/// <summary>A machine of the stack.</summary>
/// <param name="Name">Its name, as its certificate says it.</param>
/// <param name="Address">IP literal under which the others reach it.</param>
/// <param name="HopPort">Port of its listener for other machines.</param>
/// <param name="Reachable">False: it does not answer, so its instances get nothing new.</param>
public sealed record CatalogMachine(string Name, string Address, int HopPort, bool Reachable);

/// <summary>A service as the tiers see it.</summary>
public sealed record CatalogService
{
    /// <summary>Name of the service.</summary>
    public required string Name { get; init; }

    /// <summary>Public routes.</summary>
    public ImmutableArray<CatalogRoute> Routes { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>What its instances speak: <c>http</c>, <c>fastcgi</c> or <c>cgi</c>; empty: <c>http</c>.</summary>
    public string Interface { get; init; } = "";

    /// <summary>Folder of the service in the release that runs, on this machine; empty: not said.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Folder below <see cref="Folder"/> with its files and scripts; null: none.</summary>
    public string? Root { get; init; }

    /// <summary>What a path may be in <see cref="Root"/>; none: the interface's default.</summary>
    public ImmutableArray<string> TryFiles { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>True: its requests are answered by the maintenance page.</summary>
    public bool Maintenance { get; init; }

    /// <summary><c>least-requests</c> or <c>round-robin</c>.</summary>
    public string Balance { get; init; } = "least-requests";

    /// <summary>Requests in flight that one instance takes; 0: no limit.</summary>
    public int RequestsPerInstance { get; init; }

    /// <summary>Requests that may wait while all instances are at their limit.</summary>
    public int WaitingRoom { get; init; } = 1000;

    /// <summary>Milliseconds a request may wait.</summary>
    public int WaitingTimeoutMs { get; init; } = 10_000;

    /// <summary>
    /// Instances wanted; 0: stopped, or not said. With none healthy, requests wait while one of those wanted is still to come,
    /// listed in <see cref="Instances"/> or not.
    /// </summary>
    public int Wanted { get; init; }

    /// <summary>Instances that have an endpoint, in order of index.</summary>
    public ImmutableArray<CatalogInstance> Instances { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>A public route.</summary>
/// <param name="Host">Lower-case host, null: any.</param>
/// <param name="PathPrefix">Begins with <c>/</c>; whole segments.</param>
public sealed record CatalogRoute(string? Host, string PathPrefix);

/// <summary>An instance with its endpoint.</summary>
public sealed record CatalogInstance
{
    /// <summary>Unique for ever, one per start slot: <c>web.1/17</c> (name, generation).</summary>
    public required string Id { get; init; }

    /// <summary>Name people use: <c>web.1</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Machine it runs on; empty, or <see cref="CatalogSnapshot.Machine"/>: this one.</summary>
    public string Machine { get; init; } = "";

    /// <summary>IP literal of its endpoint, as its own machine sees it.</summary>
    public required string Address { get; init; }

    /// <summary>Port of its endpoint.</summary>
    public required int Port { get; init; }

    /// <summary>Path of the Unix socket that is its endpoint; empty: <see cref="Port"/> is.</summary>
    public string Socket { get; init; } = "";

    /// <summary>Folder it was started in; empty: not said.</summary>
    public string Folder { get; init; } = "";

    /// <summary>Only <see cref="InstanceState.Healthy"/> ones receive new requests.</summary>
    public required InstanceState State { get; init; }

    /// <summary>Role among its service's instances (<c>primary</c>, <c>replica</c>), null where there are no roles.</summary>
    public string? Role { get; init; }

    /// <summary>Replica: bytes not replayed yet, rounded up to a power of two so that not every look is a change.</summary>
    public long? LagBytes { get; init; }

    /// <summary>Replica: age of what is replayed in whole seconds.</summary>
    public int? LagSeconds { get; init; }
}

/// <summary>Life of an instance.</summary>
public enum InstanceState
{
    /// <summary>Wanted, not started yet.</summary>
    Pending,

    /// <summary>Started, not yet known to be healthy.</summary>
    Starting,

    /// <summary>Serving.</summary>
    Healthy,

    /// <summary>Was healthy, now fails its health check; still runs.</summary>
    Unhealthy,

    /// <summary>Receives nothing new, finishes what it has.</summary>
    Draining,

    /// <summary>Has been sent SIGTERM.</summary>
    Stopping,

    /// <summary>Ended and not wanted again.</summary>
    Stopped,

    /// <summary>Ended and waits for its next start.</summary>
    Backoff,

    /// <summary>Ended too often; waits for a person or a release.</summary>
    Crashed,
}
