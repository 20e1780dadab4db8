using System.Collections.Immutable;
using Ashlar.Stack;

namespace Ashlar.Catalog;

/// <summary>All that a tier's pure plan may look at. A plan maps it to <see cref="DesiredInstance"/>s and does nothing else.</summary>
public sealed record PlanContext
{
    /// <summary>The stack as the release froze it.</summary>
    public required StackDefinition Stack { get; init; }

    /// <summary>Release to run: <c>v12</c>.</summary>
    public required string Release { get; init; }

    /// <summary>Real path of the folder that the release's instances start from.</summary>
    public required string ReleaseFolder { get; init; }

    /// <summary>Hash of what each service is made of (its tree and build), by service.</summary>
    public ImmutableSortedDictionary<string, string> Contents { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Config vars, as <c>ashlar config</c> set them.</summary>
    public ImmutableSortedDictionary<string, string> ConfigVars { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Instances wanted where <c>ashlar scale</c> said otherwise than the stack, by service.</summary>
    public ImmutableSortedDictionary<string, int> Scale { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Services (<c>web</c>) and instances (<c>web.2</c>) that a person has stopped.</summary>
    public ImmutableSortedSet<string> Stopped { get; init; } = [];

    /// <summary>Grows with every <c>ashlar restart</c> of a service or instance; part of its fingerprint.</summary>
    public ImmutableSortedDictionary<string, int> RestartCounts { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Listening sockets of the edge.</summary>
    public ImmutableArray<CatalogListener> Listeners { get; init; } = [];

    /// <summary>The stack's state folder (<c>.ashlar</c>), absolute.</summary>
    public required string StateFolder { get; init; }

    /// <summary>Folder of the machine's certificate, key and authority, readable by <see cref="User"/>; empty: the stack has one machine.</summary>
    public string IdentityFolder { get; init; } = "";

    /// <summary>Absolute path of the <c>ashlar</c> program, for Ashlar's own tiers.</summary>
    public required string Program { get; init; }

    /// <summary>Build identity of that program; a new one replaces the tiers.</summary>
    public required string ProgramVersion { get; init; }

    /// <summary>User that services and tiers run as; null: the agent's own.</summary>
    public string? User { get; init; }

    /// <summary>User that a tier's engine runs as where that is another than <see cref="User"/>, by tier (<c>postgres</c> for <c>database</c>).</summary>
    public ImmutableSortedDictionary<string, string> EngineUsers { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Ports that instances keep for ever, by instance, as <see cref="TierNeeds.Ports"/> asked; 0: not given out yet (a preview).</summary>
    public ImmutableSortedDictionary<string, int> Ports { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Passwords made up once, as <see cref="TierNeeds.Secrets"/> asked: 32 letters and digits each. Never in argv, logs or errors.</summary>
    public ImmutableSortedDictionary<string, string> Secrets { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>What the data tiers add to the environment of services (<c>DATABASE_URL</c>); what people set stands above it.</summary>
    public ImmutableSortedDictionary<string, string> Variables { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Instances of the data tiers that a service waits for at its start.</summary>
    public ImmutableArray<string> Backing { get; init; } = [];

    /// <summary>The user of a tier's engine.</summary>
    public string? UserOf(string tier) => EngineUsers.GetValueOrDefault(tier) ?? User;
}
