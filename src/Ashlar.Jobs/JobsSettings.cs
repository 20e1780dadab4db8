using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Ashlar.Stack;

namespace Ashlar.Jobs;

/// <summary>What the jobs process is told: made by <see cref="JobsPlan"/>, handed over in one variable, for it holds what is secret.</summary>
internal sealed record JobsSettings
{
    /// <summary>Port of the primary on loopback.</summary>
    public required int Port { get; init; }

    /// <summary>Database of the app.</summary>
    public required string Database { get; init; }

    /// <summary>Password of the user that owns the cluster.</summary>
    public required string Password { get; init; }

    /// <summary>User that owns the cluster.</summary>
    public string User { get; init; } = "ashlar";

    /// <summary>Role of the app.</summary>
    public string App { get; init; } = "app";

    /// <summary>Secret of the signatures, as services have it: <c>whsec_…</c>.</summary>
    public required string Secret { get; init; }

    /// <summary>The queues.</summary>
    public ImmutableArray<QueueSettings> Queues { get; init; } = [];

    /// <summary>The schedules.</summary>
    public ImmutableArray<ScheduleDefinition> Schedules { get; init; } = [];

    /// <summary>Environment of commands.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>True: that environment was the agent's, who is another user than the runner and its commands.</summary>
    public bool ChangesUser { get; init; }

    /// <summary>Folder of the release.</summary>
    public string Folder { get; init; } = "/";

    /// <summary>Name of the stack.</summary>
    public string Stack { get; init; } = "";

    /// <summary>Nothing of it.</summary>
    public override string ToString() => nameof(JobsSettings);
}

/// <summary>A queue as the runner sees it.</summary>
internal sealed record QueueSettings
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Where its jobs are sent by POST; null: they are commands.</summary>
    public string? Url { get; init; }

    /// <summary>Command that each is run by; null: they are sent.</summary>
    public string? Run { get; init; }

    /// <summary>Jobs in hand at once.</summary>
    public int Concurrency { get; init; } = 10;

    /// <summary>Attempts before a job is dead.</summary>
    public int Attempts { get; init; } = 20;

    /// <summary>Time that an attempt may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time between heartbeats, where workers may answer 202 and complete later; null: they may not.</summary>
    public TimeSpan? Lease { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JobsSettings))]
internal sealed partial class JobsSettingsJson : JsonSerializerContext;
