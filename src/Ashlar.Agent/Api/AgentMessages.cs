using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Agent.Api;

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

    /// <summary><see cref="CacheArguments"/> → <see cref="CacheResult"/>. On every machine, acknowledged by each edge.</summary>
    public const string Cache = "cache";

    /// <summary>none → <see cref="DashboardResult"/>.</summary>
    public const string Dashboard = "dashboard";

    /// <summary><see cref="UpgradeArguments"/> → done once the new program answers. Replaces the agent by execve in place, then its tiers.</summary>
    public const string Upgrade = "upgrade";

    /// <summary>none → <see cref="CertificatesResult"/>.</summary>
    public const string Certificates = "certificates";

    /// <summary>none → <see cref="MachinesResult"/>.</summary>
    public const string Machines = "machines";

    /// <summary>
    /// <see cref="FoundArguments"/> → <see cref="TokenResult"/>. Where the stack stands on one machine it first becomes one of many: the agent starts
    /// anew in place, the connection ends, and the question is asked again.
    /// </summary>
    public const string Token = "token";

    /// <summary>none → <see cref="StateResult"/>: how the store of the stack's state is.</summary>
    public const string State = "state";

    /// <summary><see cref="StateFileArguments"/> → <see cref="StateBackupResult"/>. The file is written on the machine that is asked.</summary>
    public const string StateBackup = "state-backup";

    /// <summary>
    /// <see cref="StateFileArguments"/> → progress…; where the stack stands on many machines. The agent starts anew in place, the connection
    /// ends, and <see cref="State"/> says when it stands.
    /// </summary>
    public const string StateRestore = "state-restore";

    /// <summary><see cref="Api.StateTold"/> → done. The leader tells a machine that is silent where the state is.</summary>
    public const string StateTold = "state-told";

    /// <summary><see cref="MachineArguments"/> → done: the machine keeps what it has and takes nothing new.</summary>
    public const string Cordon = "machines cordon";

    /// <summary><see cref="MachineArguments"/> → done: it takes what comes.</summary>
    public const string Uncordon = "machines uncordon";

    /// <summary><see cref="MachineArguments"/> → progress…, done when all has left that may.</summary>
    public const string Drain = "machines drain";

    /// <summary><see cref="RebalanceArguments"/> → progress…, <see cref="RebalanceResult"/> when all has moved that is to.</summary>
    public const string Rebalance = "machines rebalance";

    /// <summary><see cref="MachineArguments"/> → progress…, done: the machine is none of the stack any more.</summary>
    public const string Remove = "machines rm";

    /// <summary><see cref="MachineArguments"/> → done: it has these labels, or (<c>web-</c>) no more.</summary>
    public const string Label = "machines label";

    /// <summary>none → <see cref="DnsResult"/>: what the DNS answers from.</summary>
    public const string Dns = "dns";

    /// <summary><see cref="DnsArguments"/> → <see cref="DnsChange"/>, done when the name servers have applied it.</summary>
    public const string DnsChange = "dns change";

    /// <summary><see cref="AccessArguments"/> → <see cref="Catalog.TierAccess"/>: how to reach a tier's engine with all rights. Only on the agent's own socket.</summary>
    public const string Access = "access";
}

/// <summary>The machines of the stack; none: it stands on one.</summary>
public sealed record MachinesResult(ImmutableArray<MachineLine> Machines)
{
    /// <summary>Which of them hold the state, and what happens to it when one fails.</summary>
    public string State { get; init; } = "";
}

/// <summary>A machine for people.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Where the others reach it.</param>
/// <param name="State"><c>alive</c>, <c>suspect</c>, <c>lost</c>, or <c>absent</c>: the stack file names it and it has not joined; with what it takes, where that is not everything.</param>
/// <param name="Leads">True: it carries out orders.</param>
/// <param name="Instances">How many instances run there.</param>
/// <param name="Memory">Bytes of memory that it has.</param>
/// <param name="Cores">Cores that it has.</param>
/// <param name="ProgramVersion">Build that it runs.</param>
public sealed record MachineLine(string Name, string Address, string State, bool Leads, int Instances, long Memory, int Cores, string ProgramVersion)
{
    /// <summary>Port for other agents.</summary>
    public int PeerPort { get; init; }

    /// <summary>Its labels, those of the stack file among them.</summary>
    public ImmutableSortedSet<string> Labels { get; init => field = value ?? []; } = [];

    /// <summary>What people should know of it: a clock that is off, another version, the command that adds it; empty: nothing.</summary>
    public string Note { get; init => field = value ?? ""; } = "";
}

/// <summary>An order about a machine.</summary>
/// <param name="Name">The machine.</param>
/// <param name="Force">Of <c>rm</c>: also with data there, or while it runs something.</param>
public sealed record MachineArguments(string Name, bool Force = false)
{
    /// <summary>Of <c>label</c>: the labels; <c>web-</c> takes one away.</summary>
    public ImmutableArray<string> Labels { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>Arguments of <c>machines rebalance</c>.</summary>
/// <param name="DryRun">True: say what would move, move nothing.</param>
public sealed record RebalanceArguments(bool DryRun = false);

/// <summary>What moves, or would, so that the instances are spread over the machines.</summary>
public sealed record RebalanceResult(ImmutableArray<MoveLine> Moves);

/// <summary>An instance that goes to another machine.</summary>
/// <param name="Instance"><c>web.2</c>.</param>
/// <param name="From">Machine where it was.</param>
/// <param name="To">Machine where it is to be.</param>
public sealed record MoveLine(string Instance, string From, string To);

/// <summary>Arguments of <c>token</c>: how the first machine is to be known. They are read only while it is the only one.</summary>
/// <param name="Address">Its address, at which the others reach it.</param>
/// <param name="Name">Its name.</param>
public sealed record FoundArguments(string? Address = null, string? Name = null);

/// <summary>A token for one more machine: a secret.</summary>
public sealed record TokenResult(string Token)
{
    /// <inheritdoc />
    public override string ToString() => nameof(TokenResult);
}

/// <summary>Arguments of <c>up</c> and <c>plan</c>.</summary>
/// <param name="Path">The stack's folder or file.</param>
/// <param name="Program">Of <c>plan</c>: the program that would bring it up, if the agent may be of another build.</param>
/// <param name="Machine">Of <c>up</c>, between agents: the machine on which it was ordered, which has the files; null: this one.</param>
public sealed record UpArguments(string Path, string? Program = null, string? Machine = null);

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
/// <param name="Word">First word of the command: with no target and the name of a service, that service's own command is meant.</param>
public sealed record EnvironmentArguments(string? Target, string? Word = null);

/// <summary>What a one-off command needs.</summary>
/// <param name="Environment">Its whole environment.</param>
/// <param name="WorkingDirectory">Real path of the release's folder.</param>
/// <param name="User">User to become; null: stay.</param>
/// <param name="Run">The service's own command line, where its name stood in place of a command.</param>
public sealed record EnvironmentResult(
    ImmutableSortedDictionary<string, string> Environment, string WorkingDirectory, string? User, string? Run = null);

/// <summary>Changes to config vars; a null value unsets. No changes: read only.</summary>
public sealed record ConfigArguments(ImmutableSortedDictionary<string, string?> Changes);

/// <summary>All config vars, and the release made if any.</summary>
/// <param name="Vars">All config vars.</param>
/// <param name="Release">The release that was made of the change; null: none.</param>
/// <param name="Kept">True: something has changed, and the next <c>up</c> runs with it.</param>
public sealed record ConfigResult(ImmutableSortedDictionary<string, string> Vars, string? Release, bool Kept = false)
{
    /// <summary>What is to be known of the change.</summary>
    public ImmutableArray<AshlarError> Warnings { get; init; } = [];
}

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

/// <summary>Where the page is that shows the stack.</summary>
/// <param name="Url">Its address with the token behind <c>#</c>, which browsers send to nobody. A secret.</param>
public sealed record DashboardResult(string Url)
{
    /// <summary>Nothing of it.</summary>
    public override string ToString() => nameof(DashboardResult);
}

/// <summary>Arguments of <c>upgrade</c>.</summary>
/// <param name="Executable">Absolute path of the program to become.</param>
public sealed record UpgradeArguments(string Executable);

/// <summary>Arguments of <c>access</c>.</summary>
/// <param name="Tier">Name of the tier: <c>database</c>, <c>queue</c>, <c>cache</c>.</param>
public sealed record AccessArguments(string Tier);

/// <summary>What the DNS answers from.</summary>
/// <param name="Snapshot">The catalog as the name server on this machine has it.</param>
/// <param name="Address">Where that listens.</param>
/// <param name="Port">Its port.</param>
public sealed record DnsResult(CatalogSnapshot Snapshot, string Address, int Port);

/// <summary>Arguments of <c>dns change</c>.</summary>
/// <param name="Add">Records to add.</param>
/// <param name="Remove">Records to take away of those that were added.</param>
public sealed record DnsArguments(ImmutableArray<DnsLine> Add, ImmutableArray<DnsLine> Remove)
{
    /// <inheritdoc cref="DnsArguments(ImmutableArray{DnsLine}, ImmutableArray{DnsLine})" path="/param[@name='Add']"/>
    public ImmutableArray<DnsLine> Add { get; init => field = value.IsDefault ? [] : value; } = Add;

    /// <inheritdoc cref="DnsArguments(ImmutableArray{DnsLine}, ImmutableArray{DnsLine})" path="/param[@name='Remove']"/>
    public ImmutableArray<DnsLine> Remove { get; init => field = value.IsDefault ? [] : value; } = Remove;
}

/// <summary>A record that people add or take away.</summary>
/// <param name="Zone">Name of its zone, without a dot at its end.</param>
/// <param name="Text">A line of a master file; to take away, its first words are enough: a name, a name and a type.</param>
public sealed record DnsLine(string Zone, string Text);

/// <summary>What a change of records did.</summary>
/// <param name="Added">Records that are there now and were not, as lines of a master file.</param>
/// <param name="Removed">Records that are there no more.</param>
public sealed record DnsChange(ImmutableArray<string> Added, ImmutableArray<string> Removed);
