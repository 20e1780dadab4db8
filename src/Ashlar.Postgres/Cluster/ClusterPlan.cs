using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Postgres;

/// <summary>The servers that a stack wants. Pure.</summary>
internal static class ClusterPlan
{
    // A clone or a recovery takes as long as it takes, and ending it would only begin it anew. What cannot succeed ends by itself.
    private static readonly TimeSpan StartTimeout = TimeSpan.FromHours(24);

    // Its last checkpoint; killed before its end, it is done again as recovery at the next start.
    private static readonly TimeSpan StopGrace = TimeSpan.FromMinutes(5);

    // The replica that services read from, and how long they wait for it when they start together with it: a clone of little data takes a second
    // or two, one of much must not keep the stack down.
    private const int Reads = 2;
    private static readonly TimeSpan ReplicaPatience = TimeSpan.FromSeconds(15);

    public static IEnumerable<DesiredInstance> Plan(PlanContext context)
    {
        if (context.Stack.Database is not { } database)
        {
            yield break;
        }

        SettingsTable.Check(database.Settings);
        var replicas = ClusterNames.ReplicasWanted(context);
        if (replicas is < 0 or > ClusterNames.MostReplicas)
        {
            throw PostgresErrors.TooManyReplicas(replicas);
        }

        for (var index = 1; index <= 1 + replicas; index++)
        {
            if (!context.Stopped.Contains(PostgresTier.Tier) && !context.Stopped.Contains(ClusterNames.Instance(index)))
            {
                yield return Server(context, index);
            }
        }
    }

    public static TierNeeds Needs(PlanContext context) => context.Stack.Database is null ? TierNeeds.None : new TierNeeds(
        [.. Enumerable.Range(1, 1 + Math.Clamp(ClusterNames.ReplicasWanted(context), 0, ClusterNames.MostReplicas)).Select(ClusterNames.Instance)],
        [.. Users.Select(ClusterNames.Secret)]);

    public static IEnumerable<KeyValuePair<string, string>> Variables(PlanContext context)
    {
        if (context.Stack.Database is null)
        {
            yield break;
        }

        yield return KeyValuePair.Create("DATABASE_URL", Url(context, 1));
        yield return KeyValuePair.Create("DATABASE_DIRECT_URL", Url(context, 1));
        yield return KeyValuePair.Create("DATABASE_REPLICA_URL", Url(context, ClusterNames.ReplicasWanted(context) > 0 ? Reads : 1));
    }

    public static TierAccess? Access(PlanContext context) => context.Stack.Database is null ? null : To(context, ClusterNames.Owner) with
    {
        App = To(context, ClusterNames.App),
    };

    private static TierAccess To(PlanContext context, string user) =>
        new("127.0.0.1", PortOf(context, 1), user, Password(context, user), ClusterNames.Database(context.Stack.Name));

    private static string[] Users => [ClusterNames.Owner, ClusterNames.Replicator, ClusterNames.App];

    private static int PortOf(PlanContext context, int index) => context.Ports.GetValueOrDefault(ClusterNames.Instance(index));

    private static string Password(PlanContext context, string user) => context.Secrets.GetValueOrDefault(ClusterNames.Secret(user), "");

    private static string Url(PlanContext context, int index) => string.Create(CultureInfo.InvariantCulture,
        $"postgres://{ClusterNames.App}:{Password(context, ClusterNames.App)}@127.0.0.1:{PortOf(context, index)}/{ClusterNames.Database(context.Stack.Name)}");

    private static DesiredInstance Server(PlanContext context, int index)
    {
        var database = context.Stack.Database!;
        var name = ClusterNames.Instance(index);
        var options = new PostgresOptions
        {
            Instance = name,
            State = context.StateFolder,
            Follows = index == 1 ? null : (ClusterNames.Instance(1), PortOf(context, 1)),
            Port = PortOf(context, index),
            Database = ClusterNames.Database(context.Stack.Name),
            Version = database.Version,
            Memory = database.Memory,
            Settings = database.Settings,
            Passwords = Users.ToImmutableSortedDictionary(user => user, user => Password(context, user)),
        };
        var user = context.UserOf(PostgresTier.Tier);
        return new DesiredInstance
        {
            Tier = PostgresTier.Tier,
            Service = PostgresTier.Tier,
            Index = index,
            Fingerprint = Fingerprint(context, options, user),
            Launch = new LaunchSpec
            {
                Command = [context.Program, PostgresTier.Word, .. options.ToArguments()],
                Environment = ChildEnvironment.OfOwnProgram.AddRange(options.ToVariables()),
                WorkingDirectory = options.Folder,
                LogPath = "",
                User = user,
                Tag = "",
                Memory = database.Memory,
            },
            Readiness = Readiness.Probe,
            Probe = new ProbeSpec(PostgresTier.Tier, "127.0.0.1", options.Port, ClusterNames.Replicator),
            Port = options.Port,
            Exclusive = true,
            KeepsData = index == 1, // What a replica has is a copy: without it, it is cloned again.
            Machines = database.Machines,
            Lease = index == 1 ? PostgresTier.Tier : null,
            Role = index == 1 ? "primary" : "replica",
            AwaitedFor = index == Reads ? ReplicaPatience : null,
            After = index == 1 ? [] : [ClusterNames.Instance(1)],
            StopRequest = StopRequest.InterruptLeader,
            StopGrace = StopGrace,
            StartTimeout = StartTimeout,
        };
    }

    // Not the program's version: a new Ashlar needs no new server. And nothing that adding a replica changes.
    private static string Fingerprint(PlanContext context, PostgresOptions options, string? user)
    {
        var text = new StringBuilder();
        foreach (var part in options.ToArguments())
        {
            text.Append(part).Append('\n');
        }

        foreach (var (setting, value) in options.Settings)
        {
            text.Append(setting).Append('=').Append(value).Append('\n');
        }

        text.Append(user).Append('\n').Append(SettingsTable.Generation).Append('\n')
            .Append(context.RestartCounts.GetValueOrDefault(PostgresTier.Tier)).Append('\n')
            .Append(context.RestartCounts.GetValueOrDefault(options.Instance));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];
    }
}
