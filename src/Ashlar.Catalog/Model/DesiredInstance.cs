using System.Collections.Immutable;
using Ashlar.Processes;

namespace Ashlar.Catalog;

/// <summary>One instance that a tier's plan wants to run.</summary>
public sealed record DesiredInstance
{
    /// <summary>Tier it belongs to: <c>edge</c>, <c>services</c>, <c>database</c>, …</summary>
    public required string Tier { get; init; }

    /// <summary>Service: <c>web</c>, <c>edge</c>.</summary>
    public required string Service { get; init; }

    /// <summary>From 1.</summary>
    public required int Index { get; init; }

    /// <summary>Changes exactly when the running instance must be replaced.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>How to start it. PORT and instance variables are filled in by the agent at the start.</summary>
    public required LaunchSpec Launch { get; init; }

    /// <summary>How it shows that it is ready.</summary>
    public required Readiness Readiness { get; init; }

    /// <summary>True: the agent gives it a port (PORT) and the catalog an endpoint.</summary>
    public bool HasEndpoint { get; init; }

    /// <summary>True: its endpoint is a Unix socket, whose path it is given as SOCKET, and not a port.</summary>
    public bool OnSocket { get; init; }

    /// <summary>Bound of its drain and time between SIGTERM and SIGKILL.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How it is asked to end.</summary>
    public StopRequest StopRequest { get; init; }

    /// <summary>Time it has to become ready.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Release it comes from; empty for Ashlar's own tiers.</summary>
    public string Release { get; init; } = "";

    /// <summary>The port that it always has, when the agent does not choose one for each start; 0: none. It is given as PORT.</summary>
    public int Port { get; init; }

    /// <summary>
    /// True: no two processes of it may run at once, because they share data. It is replaced by stopping the old one before the new
    /// one starts, one instance of its service after the other, the highest index first.
    /// </summary>
    public bool Exclusive { get; init; }

    /// <summary>
    /// True: its folder alone holds what it has acknowledged. That it has been ready is remembered for ever, and it is told by
    /// <see cref="HeldData.Variable"/>, so that it does not begin anew where its folder is missing.
    /// </summary>
    public bool KeepsData { get; init; }

    /// <summary>
    /// Lease that the machine must hold to run it, because another of its service on another machine could take its place; null: none. What
    /// loses it is killed, not asked.
    /// </summary>
    public string? Lease { get; init; }

    /// <summary>How it is asked whether it is ready and healthy; only with <see cref="Readiness.Probe"/>.</summary>
    public ProbeSpec? Probe { get; init; }

    /// <summary>The machines that it may run on.</summary>
    public Stack.PlacementDefinition Machines { get; init; } = Stack.PlacementDefinition.Anywhere;

    /// <summary>Its role among its service's instances (<c>primary</c>, <c>replica</c>); null where there are no roles.</summary>
    public string? Role { get; init; }

    /// <summary>Instances that it waits for at its start while these are on their way up: <c>database.1</c>.</summary>
    public ImmutableArray<string> After { get; init; } = [];

    /// <summary>
    /// How long services wait for it at their start, counted from its own; null: only for the first of its kind, and that as long as it is on
    /// its way up.
    /// </summary>
    public TimeSpan? AwaitedFor { get; init; }

    /// <summary><c>web.1</c>.</summary>
    public string Name => $"{Service}.{Index}";
}

/// <summary>How an instance shows that it is ready.</summary>
public enum Readiness
{
    /// <summary>It is still there a second after its start (a worker).</summary>
    Alive,

    /// <summary>Its port listens and its health path answers.</summary>
    Http,

    /// <summary>It has said hello on the channel and applied its first snapshot (a tier).</summary>
    Channel,

    /// <summary>Its <see cref="DesiredInstance.Probe"/> is answered well (an engine, by its own protocol).</summary>
    Probe,
}

/// <summary>A question in an engine's own protocol. Which kinds there are, the tiers say that run the engines.</summary>
/// <param name="Kind"><c>postgres</c>, <c>redis</c>, <c>memcached</c>.</param>
/// <param name="Address">IP literal.</param>
/// <param name="Port">TCP port.</param>
/// <param name="User">User to ask as, where the protocol has users.</param>
/// <param name="Password">Its password. A secret: in memory only.</param>
public sealed record ProbeSpec(string Kind, string Address, int Port, string User = "", string Password = "")
{
    /// <summary>All but the password.</summary>
    public override string ToString() => $"{Kind} {Address}:{Port}";
}
