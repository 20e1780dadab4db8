using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Agent.Api;
using Ashlar.Commands;
using Ashlar.Doctoring;
using Ashlar.Postgres.Administration;
using Ashlar.Tracing;

namespace Ashlar.Output;

/// <summary>What the command line writes as JSON: its own records, and the agent's as they are shown to people and scripts.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(ErrorReport))]
[JsonSerializable(typeof(DoneReport))]
[JsonSerializable(typeof(CheckReport))]
[JsonSerializable(typeof(UnitReport))]
[JsonSerializable(typeof(InitReport))]
[JsonSerializable(typeof(DoctorReport))]
[JsonSerializable(typeof(ZoneReport))]
[JsonSerializable(typeof(RecordsReport))]
[JsonSerializable(typeof(Ashlar.Dns.Stacks.Explanation))]
[JsonSerializable(typeof(VersionReport))]
[JsonSerializable(typeof(HelpReport))]
[JsonSerializable(typeof(TopReport))]
[JsonSerializable(typeof(TraceReport))]
[JsonSerializable(typeof(Ashlar.Engines.Redis.RedisReport))]
[JsonSerializable(typeof(PgInfoReport))]
[JsonSerializable(typeof(ImmutableArray<SessionReport>))]
[JsonSerializable(typeof(ImmutableArray<LockReport>))]
[JsonSerializable(typeof(ImmutableArray<Ashlar.Jobs.QueueReport>))]
[JsonSerializable(typeof(ImmutableArray<Ashlar.Jobs.JobReport>))]
[JsonSerializable(typeof(ImmutableArray<Ashlar.Jobs.ScheduleReport>))]
[JsonSerializable(typeof(Ashlar.Jobs.JobReport))]
[JsonSerializable(typeof(JobEnqueued))]
[JsonSerializable(typeof(BackupReport))]
[JsonSerializable(typeof(RestoreReport))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>The agent's records, written like our own: indented, nothing left out.</summary>
    public static AgentJson Agent { get; } = new(new JsonSerializerOptions(AgentJson.Default.Options)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    });
}

/// <summary>JSON of streams: one object a line.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LogEntry))]
internal sealed partial class LineJson : JsonSerializerContext;

/// <summary>An error as <c>--json</c> writes it to standard error.</summary>
/// <param name="Code"><c>ASH4002</c>.</param>
/// <param name="Tier">Who says it.</param>
/// <param name="Message">What happened.</param>
/// <param name="NextStep">What to do.</param>
/// <param name="ExitCode">The code the program ends with.</param>
internal sealed record ErrorReport(string Code, string Tier, string Message, string NextStep, int ExitCode);

/// <summary>What a verb without a result of its own writes with <c>--json</c>.</summary>
/// <param name="Verb">The verb that was carried out.</param>
/// <param name="Text">The line that people get.</param>
internal sealed record DoneReport(string Verb, string Text);

/// <summary>What <c>--version --json</c> writes.</summary>
/// <param name="Version"><c>0.1.0</c>.</param>
internal sealed record VersionReport(string Version);

/// <summary>What <c>help --json</c> writes.</summary>
/// <param name="Verbs">All verbs, or the one that was asked for.</param>
internal sealed record HelpReport(ImmutableArray<VerbReport> Verbs);

/// <summary>A verb in <c>help --json</c>.</summary>
/// <param name="Name">What is typed.</param>
/// <param name="Group">Where the help lists it.</param>
/// <param name="Summary">What it does.</param>
/// <param name="Usage">Its forms, one for each second word.</param>
/// <param name="Options">Its options with what they mean.</param>
/// <param name="Examples">Command lines, the most common first.</param>
internal sealed record VerbReport(
    string Name, string Group, string Summary, ImmutableArray<string> Usage, ImmutableSortedDictionary<string, string> Options, ImmutableArray<string> Examples);

/// <summary>One line of <c>logs --json</c>.</summary>
/// <param name="Instance">Who wrote it.</param>
/// <param name="Text">The line.</param>
/// <param name="Time">When it was written, in UTC; left out if that is not known.</param>
internal sealed record LogEntry(
    string Instance, string Text, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Time);
