using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ashlar.Catalog;
using Ashlar.Jobs.Runner;
using Ashlar.Jobs.Schedule;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Jobs;

/// <summary>
/// What the jobs tier wants to run: one process, wherever it is placed. Two that overlap, while it is replaced or moved, settle by a lock of the database
/// which of them hands out jobs and fires schedules.
/// </summary>
public static class JobsPlan
{
    /// <summary>Name of the tier and of its service.</summary>
    public const string Tier = "jobs";

    /// <summary>Variable of services with the secret of the signatures.</summary>
    public const string SecretVariable = "ASHLAR_JOBS_SECRET";

    /// <summary>Name of the kept secret that it is made of.</summary>
    internal const string Secret = "jobs.signature";

    private const string Name = $"{Tier}.1";
    private const string DoorPrefix = "service:";
    private const string Database = "database";

    // Time for jobs in hand when it is replaced, and then to write down what was broken off.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    /// <summary>What it needs before it can be planned. Pure.</summary>
    public static TierNeeds Needs(PlanContext context) => IsWanted(context.Stack) ? new TierNeeds([], [Secret]) : TierNeeds.None;

    /// <summary>What services find in their environment. Pure.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Variables(PlanContext context) =>
        IsWanted(context.Stack) ? [new(SecretVariable, WebhookSignature.SecretOf(context.Secrets.GetValueOrDefault(Secret, "")))] : [];

    /// <summary>True: the stack asks for it.</summary>
    public static bool IsWanted(StackDefinition stack)
    {
        ArgumentNullException.ThrowIfNull(stack);
        return stack.Database is not null && !(stack.Jobs.IsDefaultOrEmpty && stack.Schedule.IsDefaultOrEmpty);
    }

    /// <summary>The process. Pure.</summary>
    /// <param name="context">What plans look at.</param>
    /// <param name="environment">Environment of commands: the release's own.</param>
    /// <param name="access">How the database is reached.</param>
    /// <param name="inherited">What of that environment is the agent's own: an agent started from another shell replaces nothing.</param>
    public static IEnumerable<DesiredInstance> Plan(
        PlanContext context, ImmutableSortedDictionary<string, string> environment, TierAccess? access, ImmutableSortedDictionary<string, string> inherited)
    {
        if (!IsWanted(context.Stack) || access is null || context.Stopped.Contains(Tier) || context.Stopped.Contains(Name))
        {
            return [];
        }

        var runs = context.Stack.Jobs.Any(queue => queue.Run is not null) || context.Stack.Schedule.Any(schedule => schedule.Run is not null);
        var settings = Settings(context, access) with
        {
            // Whatever is no command's business does not replace the process.
            Environment = runs ? environment : ImmutableSortedDictionary<string, string>.Empty,
            ChangesUser = runs && context.User is not null,
            Folder = runs ? context.ReleaseFolder : "/",
        };
        return
        [
            new DesiredInstance
            {
                Tier = Tier,
                Service = Tier,
                Index = 1,
                Fingerprint = Fingerprint(context, settings with { Environment = settings.Environment.RemoveRange(inherited.Where(v => settings.Environment.GetValueOrDefault(v.Key) == v.Value).Select(v => v.Key)) }),
                Readiness = Readiness.Http,
                HasEndpoint = true,
                StopGrace = Grace + Margin,
                StartTimeout = TimeSpan.FromMinutes(2),
                After = [$"{Database}.1"],
                Launch = new LaunchSpec
                {
                    Command = [context.Program, Tier, "--instance", Name, "--state", context.StateFolder, "--grace", Grace.TotalSeconds.ToString(CultureInfo.InvariantCulture)],
                    Environment = Own.SetItem(JobsOptions.SettingsVariable, JsonSerializer.Serialize(settings, JobsSettingsJson.Default.JobsSettings)),
                    WorkingDirectory = context.StateFolder,
                    LogPath = Path.Combine(context.StateFolder, "logs", $"{Name}.log"),
                    Tag = Name,
                    User = context.User,
                },
            },
        ];
    }

    /// <summary>What the process is told of queues and database. Pure.</summary>
    internal static JobsSettings Settings(PlanContext context, TierAccess access) => new()
    {
        Port = access.Port,
        Database = access.Database,
        User = access.User,
        Password = access.Password,
        App = access.App?.User ?? access.User,
        Secret = WebhookSignature.SecretOf(context.Secrets.GetValueOrDefault(Secret, "")),
        Queues = [.. Queues(context)],
        Schedules = context.Stack.Schedule,
        Stack = context.Stack.Name,
    };

    private static IEnumerable<QueueSettings> Queues(PlanContext context)
    {
        foreach (var queue in context.Stack.Jobs)
        {
            yield return new QueueSettings
            {
                Name = queue.Name,
                Url = queue.To is null ? null : Url(context, queue.To) + queue.Path,
                Run = queue.Run,
                Concurrency = queue.Concurrency,
                Attempts = queue.Attempts,
                Timeout = queue.Timeout,
                Lease = queue.Lease,
            };
        }

        foreach (var schedule in context.Stack.Schedule.Where(schedule => schedule.Run is not null))
        {
            yield return new QueueSettings
            {
                Name = Ticker.QueueOf(schedule),
                Run = schedule.Run,
                Concurrency = schedule.Overlap == OverlapPolicy.Allow ? 10 : 1,
                Attempts = 1,
                Timeout = schedule.Timeout,
            };
        }
    }

    private static string Url(PlanContext context, string service)
    {
        var port = context.Listeners.FirstOrDefault(listener => listener.Name == DoorPrefix + service)?.Port ?? 0;
        return string.Create(CultureInfo.InvariantCulture, $"http://{IPAddress.Loopback}:{port}");
    }

    private static string Fingerprint(PlanContext context, JobsSettings settings)
    {
        var restarts = context.RestartCounts.GetValueOrDefault(Tier) + context.RestartCounts.GetValueOrDefault(Name);
        var text = JsonSerializer.Serialize(settings, JobsSettingsJson.Default.JobsSettings) + context.User;
        return string.Create(CultureInfo.InvariantCulture, $"{context.ProgramVersion} {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16]} restarts={restarts}");
    }

    private static ImmutableSortedDictionary<string, string> Own { get; } = ChildEnvironment.OfOwnProgram.AddRange(ChildEnvironment.SmallProcess);
}
