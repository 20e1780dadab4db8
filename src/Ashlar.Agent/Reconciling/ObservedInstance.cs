using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Agent.Reconciling;

/// <summary>One instance as the agent last saw it. Kept in the store, so that the next agent adopts what this one started.</summary>
internal sealed record ObservedInstance
{
    /// <summary>Tier it belongs to.</summary>
    public required string Tier { get; init; }

    /// <summary>Its service.</summary>
    public required string Service { get; init; }

    /// <summary>From 1.</summary>
    public required int Index { get; init; }

    /// <summary>From a counter that never goes back; a restart after a crash keeps it, a replacement gets a new one.</summary>
    public required long Generation { get; init; }

    /// <summary>Fingerprint of the desired instance it was started for.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required InstanceState State { get; init; }

    /// <summary>How it shows that it is ready.</summary>
    public Readiness Readiness { get; init; }

    /// <summary>True: it serves on <see cref="Port"/>.</summary>
    public bool HasEndpoint { get; init; }

    /// <summary>Bound of its drain and time between SIGTERM and SIGKILL.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time it has to become ready.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Release it runs; empty for Ashlar's own tiers.</summary>
    public string Release { get; init; } = "";

    /// <summary>Its port; 0: none.</summary>
    public int Port { get; init; }

    /// <summary>Path of the Unix socket that it serves on; empty: it serves on its port.</summary>
    public string Socket { get; init; } = "";

    /// <summary>Folder it was started in.</summary>
    public string Folder { get; init; } = "";

    /// <summary>How it is asked to end.</summary>
    public StopRequest StopRequest { get; init; }

    /// <summary>Its leader, while it runs.</summary>
    public ProcessIdentity? Process { get; init; }

    /// <summary>Times its process was started; makes the tag of each start unique.</summary>
    public int Starts { get; init; }

    /// <summary>Restarts after crashes.</summary>
    public int Restarts { get; init; }

    /// <summary>Start of the process that runs.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>Backoff, Crashed: the next start. Unhealthy: when it is taken for hanging. Draining: the end of the drain. Stopping, or condemned: SIGKILL.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Draining: nothing is with it any more.</summary>
    public bool Drained { get; init; }

    /// <summary>Stopping: SIGKILL has been sent.</summary>
    public bool Killed { get; init; }

    /// <summary>Unhealthy: it is being ended, because it hangs.</summary>
    public bool Condemned { get; init; }

    /// <summary>Set when a start failed for good reason to give up what needs it (a roll); null again once it is healthy.</summary>
    public AshlarError? Failure { get; init; }

    /// <summary>Why it is in its state, for people.</summary>
    public string Detail { get; init; } = "";

    /// <summary>Its last lines, only when it failed.</summary>
    public ImmutableArray<string> LastLines { get; init; } = [];

    /// <summary><c>web.1</c>.</summary>
    [JsonIgnore]
    public string Name => $"{Service}.{Index}";

    /// <summary><c>web.1/17</c>.</summary>
    [JsonIgnore]
    public string Id => $"{Name}/{Generation}";

    /// <summary>Runs and is not on its way out.</summary>
    [JsonIgnore]
    public bool Serves => State is InstanceState.Starting or InstanceState.Healthy or InstanceState.Unhealthy;

    /// <summary>Runs and is on its way out.</summary>
    [JsonIgnore]
    public bool Leaves => State is InstanceState.Draining or InstanceState.Stopping;

    /// <summary>It has, or may have, a process.</summary>
    [JsonIgnore]
    public bool Alive => Serves || Leaves;

    /// <summary>Something else must let go of it before SIGTERM: the edge its requests, or a tier its connections.</summary>
    [JsonIgnore]
    public bool MustDrain => State is InstanceState.Healthy or InstanceState.Unhealthy
        && (HasEndpoint || Readiness == Readiness.Channel);
}
