using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Postgres;

/// <summary>The database tier: one primary and its replicas.</summary>
public static class PostgresTier
{
    /// <summary>Name of the tier, of its service, and of its probe.</summary>
    public const string Tier = "database";

    /// <summary>User that Debian's package makes.</summary>
    public const string EngineUser = "postgres";

    /// <summary>What it needs before it can be planned. Pure.</summary>
    public static TierNeeds Needs(PlanContext context) => TierNeeds.None;

    /// <summary>The servers wanted. Pure.</summary>
    public static IEnumerable<DesiredInstance> Plan(PlanContext context) => [];

    /// <summary>What services find in their environment. Pure.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Variables(PlanContext context) => [];

    /// <summary>What <c>scale</c> may change. Pure.</summary>
    public static IEnumerable<(string Name, int Declared)> Scales(PlanContext context) => [];

    /// <summary>Asks a server whether it takes connections.</summary>
    public static Task<HealthAnswer> ProbeAsync(ProbeSpec probe, CancellationToken cancellation) =>
        Task.FromResult(new HealthAnswer(true, 0, "", TimeSpan.Zero));

    /// <summary>Makes what looks after the servers.</summary>
    public static ITierWatch Watch(TierWatchHost host) => new NoWatch();

    private sealed class NoWatch : ITierWatch
    {
        public void Pursue(PlanContext context, System.Collections.Immutable.ImmutableArray<DesiredInstance> instances) { }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
