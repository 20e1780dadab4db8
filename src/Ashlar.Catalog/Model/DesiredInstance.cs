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

    /// <summary>Bound of its drain and time between SIGTERM and SIGKILL.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time it has to become ready.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Release it comes from; empty for Ashlar's own tiers.</summary>
    public string Release { get; init; } = "";

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
}
