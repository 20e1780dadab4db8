using Ashlar.Catalog;
using Ashlar.Postgres.Watching;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Postgres;

/// <summary>The database tier: one primary and its replicas.</summary>
public static class PostgresTier
{
    /// <summary>Name of the tier, of its service, and of its probe.</summary>
    public const string Tier = "database";

    /// <summary>First argument of the program that prepares a server and becomes it.</summary>
    public const string Word = "postgres";

    /// <summary>User that Debian's package makes.</summary>
    public const string EngineUser = "postgres";

    /// <summary>What it needs before it can be planned. Pure.</summary>
    public static TierNeeds Needs(PlanContext context) => ClusterPlan.Needs(context);

    /// <summary>The servers wanted. Pure.</summary>
    /// <exception cref="Errors.AshlarException">ASH7009, ASH7010: the stack asks for what cannot be.</exception>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context) => ClusterPlan.Plan(context);

    /// <summary>What services find in their environment. Pure.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Variables(PlanContext context) => ClusterPlan.Variables(context);

    /// <summary>What <c>scale</c> may change. Pure.</summary>
    public static IEnumerable<(string Name, int Declared)> Scales(PlanContext context) =>
        context.Stack.Database is { } database ? [(ClusterNames.Replicas, database.Replicas)] : [];

    /// <summary>How a person reaches the primary; null: the stack has no database. Pure.</summary>
    public static TierAccess? Access(PlanContext context) => ClusterPlan.Access(context);

    /// <summary>What a start that failed says in PostgreSQL's own words. Pure.</summary>
    public static Errors.AshlarError? Explain(string instance, IReadOnlyList<string> lastLines) => LastWords.Explain(instance, lastLines);

    /// <summary>Refuses a stack whose database cannot run on this machine.</summary>
    /// <exception cref="Errors.AshlarException">ASH7001, ASH7002, ASH7009, ASH7010.</exception>
    public static void Require(StackDefinition stack)
    {
        if (stack.Database is { } database)
        {
            SettingsTable.Check(database.Settings);
            if (database.Replicas is < 0 or > ClusterNames.MostReplicas)
            {
                throw PostgresErrors.TooManyReplicas(database.Replicas);
            }

            PostgresVersions.Choose(database.Version, null, stack.Directory, PostgresVersions.Installed());
        }
    }

    /// <summary>Config vars that hide the stack's own database. Pure.</summary>
    public static IEnumerable<Errors.AshlarError> Hidden(StackDefinition stack, IEnumerable<string> configVars) => stack.Database is null ? []
        : configVars.Where(name => name is "DATABASE_URL" or "DATABASE_REPLICA_URL").Select(name => PostgresErrors.UrlHidden(name, "the config vars"));

    /// <summary>Asks a server whether it takes connections.</summary>
    public static Task<HealthAnswer> ProbeAsync(ProbeSpec probe, CancellationToken cancellation) =>
        StartupProbe.AskAsync(probe, TimeProvider.System, cancellation);

    /// <summary>Makes what looks after the servers.</summary>
    public static ITierWatch Watch(TierWatchHost host) => new ClusterWatch(host, TimeProvider.System);
}
