using System.Collections.Immutable;

namespace Ashlar.Catalog;

/// <summary>What <c>ps</c>, <c>status</c>, <c>wait</c> and the status line show.</summary>
public sealed record StatusReport
{
    /// <summary>Name of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>Its folder.</summary>
    public required string Directory { get; init; }

    /// <summary>Release that runs.</summary>
    public string Release { get; init; } = "";

    /// <summary>Where it answers.</summary>
    public ImmutableArray<string> Urls { get; init; } = [];

    /// <summary>True: every wanted instance is healthy.</summary>
    public bool Healthy { get; init; }

    /// <summary>What is going on now (<c>rolling v13</c>), empty if nothing.</summary>
    public string Activity { get; init; } = "";

    /// <summary>Requests that the edge has answered per second, lately; null: not known yet (it is measured while somebody watches).</summary>
    public double? RequestsPerSecond { get; init; }

    /// <summary>Identity of the build of the agent's program.</summary>
    public string ProgramVersion { get; init; } = "";

    /// <summary>What is well and yet to be known: that the state of many machines has no spare, that a clock is off, that an instance runs where it should not.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>The agent itself.</summary>
    public required InstanceReport Agent { get; init; }

    /// <summary>Tiers in the order of the house.</summary>
    public ImmutableArray<TierReport> Tiers { get; init; } = [];
}

/// <summary>A tier with its services.</summary>
public sealed record TierReport(string Name, ImmutableArray<ServiceReport> Services);

/// <summary>A service with its instances.</summary>
public sealed record ServiceReport(string Name, int Wanted, bool Maintenance, ImmutableArray<string> Routes, ImmutableArray<InstanceReport> Instances)
{
    /// <summary>True: none is wanted though the stack file asks for some. A person stopped it or scaled it to none.</summary>
    public bool Stopped { get; init; }
}

/// <summary>An instance as people see it.</summary>
public sealed record InstanceReport
{
    /// <summary><c>web.1</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Machine that it runs on; empty: the stack stands on one.</summary>
    public string Machine { get; init; } = "";

    /// <summary>Its state.</summary>
    public required InstanceState State { get; init; }

    /// <summary>Why it is in that state, where there is something to say (<c>exit 1, next start in 4 s</c>).</summary>
    public string Detail { get; init; } = "";

    /// <summary>Release it runs.</summary>
    public string Release { get; init; } = "";

    /// <summary>Processes of its group, leader first.</summary>
    public ImmutableArray<int> Pids { get; init; } = [];

    /// <summary>Start of the leader.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>Its port; 0: none.</summary>
    public int Port { get; init; }

    /// <summary>Cores used over the last seconds (0.25 is a quarter of one).</summary>
    public double Cpu { get; init; }

    /// <summary>Memory in bytes: PSS where lately read, else RSS.</summary>
    public long Memory { get; init; }

    /// <summary>Role among its service's instances (<c>primary</c>, <c>replica</c>), as it says itself; null: none, or not known.</summary>
    public string? Role { get; init; }

    /// <summary>Replica: bytes of the primary's log not replayed yet; null: none, or not known.</summary>
    public long? LagBytes { get; init; }

    /// <summary>Replica: age in seconds of what is replayed, 0 when nothing is outstanding; null: none, or not known.</summary>
    public double? LagSeconds { get; init; }

    /// <summary>Restarts after crashes since it was wanted.</summary>
    public int Restarts { get; init; }

    /// <summary>Its last lines, only when it failed.</summary>
    public ImmutableArray<string> LastLines { get; init; } = [];
}
