using System.Collections.Immutable;
using System.Text.Json;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Agent.Api;

/// <summary>A question or order to the agent: one JSON frame on its Unix socket.</summary>
/// <param name="Verb">One of <see cref="AgentVerbs"/>.</param>
/// <param name="Arguments">The verb's own record, as JSON.</param>
public sealed record AgentRequest(string Verb, JsonElement Arguments);

/// <summary>One frame of the agent's answer. Any number of <c>progress</c> and <c>data</c>, then one <c>done</c> or <c>error</c>.</summary>
/// <param name="Kind"><c>progress</c>, <c>data</c>, <c>done</c> or <c>error</c>.</param>
/// <param name="Text">A line for people (progress), else empty.</param>
/// <param name="Data">The verb's result record, where it has one.</param>
/// <param name="Error">Only with <c>error</c>.</param>
public sealed record AgentReply(string Kind, string Text = "", JsonElement? Data = null, AshlarError? Error = null);

/// <summary>Kinds of <see cref="AgentReply"/>.</summary>
public static class AgentReplyKinds
{
    /// <summary>A line for people.</summary>
    public const string Progress = "progress";

    /// <summary>A result record.</summary>
    public const string Data = "data";

    /// <summary>The order is carried out; nothing follows.</summary>
    public const string Done = "done";

    /// <summary>The order failed; nothing follows.</summary>
    public const string Error = "error";
}

/// <summary>Verbs of the agent, with the records that they take and give.</summary>
public static class AgentVerbs
{
    /// <summary><see cref="UpArguments"/> → progress…, <see cref="UpResult"/>. Builds a release if content changed and brings it up; done when healthy.</summary>
    public const string Up = "up";

    /// <summary><see cref="UpArguments"/> → <see cref="PlanResult"/>. Changes nothing.</summary>
    public const string Plan = "plan";

    /// <summary><see cref="DownArguments"/> → progress…, done when all has stopped; the agent then exits.</summary>
    public const string Down = "down";

    /// <summary>none → <see cref="StatusReport"/>.</summary>
    public const string Status = "status";

    /// <summary>none → <see cref="StatusReport"/> as data, at once and at every change (at most 5 a second), until the client goes.</summary>
    public const string Watch = "watch";

    /// <summary><see cref="ScaleArguments"/> → progress…, done when reached.</summary>
    public const string Scale = "scale";

    /// <summary><see cref="TargetArguments"/> → progress…, done. Rolling restart, one healthy new instance before an old one drains.</summary>
    public const string Restart = "restart";

    /// <summary><see cref="TargetArguments"/> → progress…, done.</summary>
    public const string Stop = "stop";

    /// <summary><see cref="TargetArguments"/> → progress…, done when healthy.</summary>
    public const string Start = "start";

    /// <summary><see cref="EnvironmentArguments"/> → <see cref="EnvironmentResult"/>: what a one-off command needs to run as if it were of the service.</summary>
    public const string Environment = "environment";

    /// <summary><see cref="ConfigArguments"/> → progress…, <see cref="ConfigResult"/>. With changes: makes and rolls a release.</summary>
    public const string Config = "config";

    /// <summary>none → <see cref="ReleasesResult"/>.</summary>
    public const string Releases = "releases";

    /// <summary><see cref="RollbackArguments"/> → progress…, <see cref="UpResult"/>.</summary>
    public const string Rollback = "rollback";

    /// <summary><see cref="MaintenanceArguments"/> → done when the edge has applied it.</summary>
    public const string Maintenance = "maintenance";

    /// <summary><see cref="UpgradeArguments"/> → done once the new program answers. Replaces the agent by execve in place, then its tiers.</summary>
    public const string Upgrade = "upgrade";
}

/// <summary>Arguments of <c>up</c> and <c>plan</c>.</summary>
/// <param name="Path">The stack's folder or file.</param>
public sealed record UpArguments(string Path);

/// <summary>Result of <c>up</c> and <c>rollback</c>.</summary>
/// <param name="Release">Release that runs now.</param>
/// <param name="Changed">False: nothing had changed.</param>
/// <param name="Urls">Where it answers.</param>
public sealed record UpResult(string Release, bool Changed, ImmutableArray<string> Urls);

/// <summary>Steps the reconciler would take, one line each, in order.</summary>
public sealed record PlanResult(ImmutableArray<string> Steps);

/// <summary>Arguments of <c>down</c>.</summary>
/// <param name="Now">True: SIGKILL, no drain.</param>
public sealed record DownArguments(bool Now);

/// <summary>Instances wanted, by service.</summary>
public sealed record ScaleArguments(ImmutableSortedDictionary<string, int> Counts);

/// <summary>Services (<c>web</c>) or instances (<c>web.1</c>); empty: all services.</summary>
public sealed record TargetArguments(ImmutableArray<string> Targets);

/// <summary>Arguments of <c>environment</c>.</summary>
/// <param name="Target">Service (for <c>run</c>), instance (for <c>exec</c>), or null: the first service.</param>
public sealed record EnvironmentArguments(string? Target);

/// <summary>What a one-off command needs.</summary>
/// <param name="Environment">Its whole environment.</param>
/// <param name="WorkingDirectory">Real path of the release's folder.</param>
/// <param name="User">User to become; null: stay.</param>
public sealed record EnvironmentResult(ImmutableSortedDictionary<string, string> Environment, string WorkingDirectory, string? User);

/// <summary>Changes to config vars; a null value unsets. No changes: read only.</summary>
public sealed record ConfigArguments(ImmutableSortedDictionary<string, string?> Changes);

/// <summary>All config vars, and the release made if any.</summary>
/// <param name="Vars">All config vars.</param>
/// <param name="Release">The release that was made of the change; null: none.</param>
/// <param name="Kept">True: something has changed, and the next <c>up</c> runs with it.</param>
public sealed record ConfigResult(ImmutableSortedDictionary<string, string> Vars, string? Release, bool Kept = false);

/// <summary>The releases, newest first.</summary>
public sealed record ReleasesResult(ImmutableArray<ReleaseReport> Releases);

/// <summary>One release.</summary>
/// <param name="Name"><c>v12</c>.</param>
/// <param name="Created">When.</param>
/// <param name="Description">Why: <c>up</c>, <c>config: set A, B</c>, <c>rollback to v9</c>.</param>
/// <param name="Status"><c>current</c>, <c>ready</c>, <c>failed</c> or <c>pruned</c>.</param>
public sealed record ReleaseReport(string Name, DateTimeOffset Created, string Description, string Status);

/// <summary>Release to go back to; null: the one before.</summary>
public sealed record RollbackArguments(string? Release);

/// <summary>Maintenance on or off for all services or some.</summary>
public sealed record MaintenanceArguments(bool On, ImmutableArray<string> Services);

/// <summary>Arguments of <c>upgrade</c>.</summary>
/// <param name="Executable">Absolute path of the program to become.</param>
public sealed record UpgradeArguments(string Executable);

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

    /// <summary>Build of the agent's program (<see cref="Hosting.ProgramIdentity"/>).</summary>
    public string ProgramVersion { get; init; } = "";

    /// <summary>The agent itself.</summary>
    public required InstanceReport Agent { get; init; }

    /// <summary>Tiers in the order of the house.</summary>
    public ImmutableArray<TierReport> Tiers { get; init; } = [];
}

/// <summary>A tier with its services.</summary>
public sealed record TierReport(string Name, ImmutableArray<ServiceReport> Services);

/// <summary>A service with its instances.</summary>
public sealed record ServiceReport(string Name, int Wanted, bool Maintenance, ImmutableArray<string> Routes, ImmutableArray<InstanceReport> Instances);

/// <summary>An instance as people see it.</summary>
public sealed record InstanceReport
{
    /// <summary><c>web.1</c>.</summary>
    public required string Name { get; init; }

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
