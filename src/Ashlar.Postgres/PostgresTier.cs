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

    /// <summary>Where a stack keeps its state, in its folder.</summary>
    internal const string StateFolder = ".ashlar";

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
    /// <exception cref="Errors.AshlarException">ASH7001, ASH7002, ASH7009, ASH7010, ASH7018, ASH7019.</exception>
    public static async Task RequireAsync(StackDefinition stack, CancellationToken cancellation)
    {
        if (stack.Database is { } database)
        {
            if (database.Replicas is < 0 or > ClusterNames.MostReplicas)
            {
                throw PostgresErrors.TooManyReplicas(database.Replicas);
            }

            var mistakes = await MistakesAsync(stack, cancellation);
            if (mistakes is [var first, ..])
            {
                throw new Errors.AshlarException(mistakes.Count == 1 ? first.Error
                    : first.Error with { NextStep = $"{first.Error.NextStep} {mistakes.Count - 1} more: ashlar check." });
            }

            PostgresVersions.Choose(database.Version, null, stack.Directory, PostgresVersions.Installed());
        }
    }

    /// <summary>
    /// What is wrong with the settings of the stack's database, by name: what Ashlar refuses, and, where the version is installed, what PostgreSQL
    /// itself does. No server is asked and nothing is changed.
    /// </summary>
    public static async Task<IReadOnlyList<(string Name, Errors.AshlarError Error)>> MistakesAsync(StackDefinition stack, CancellationToken cancellation)
    {
        if (stack.Database is not { Settings: { IsEmpty: false } settings } database)
        {
            return [];
        }

        var refused = SettingsTable.Mistakes(settings).ToArray();
        var installed = PostgresVersions.Installed();
        if ((DataFolder.VersionIn(ClusterNames.Folder(Path.Combine(stack.Directory, StateFolder), ClusterNames.Instance(1)))
            ?? database.Version ?? PostgresVersions.Preferred(installed)) is not { } version || !installed.TryGetValue(version, out var programs))
        {
            return refused;
        }

        var asked = await SettingsProbe.AskAsync(programs, settings.RemoveRange(refused.Select(r => r.Name)), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, cancellation);
        return [.. refused.Concat(asked).OrderBy(mistake => mistake.Name, StringComparer.Ordinal)];
    }

    /// <summary>Asks a server whether it takes connections.</summary>
    public static Task<HealthAnswer> ProbeAsync(ProbeSpec probe, CancellationToken cancellation) =>
        StartupProbe.AskAsync(probe, TimeProvider.System, cancellation);

    /// <summary>Makes what looks after the servers.</summary>
    public static ITierWatch Watch(TierWatchHost host) => new ClusterWatch(host, TimeProvider.System);
}
