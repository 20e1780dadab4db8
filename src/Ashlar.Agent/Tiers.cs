using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Dashboard;
using Ashlar.Delivery.Plans;
using Ashlar.Dns.Tier;
using Ashlar.Edge;
using Ashlar.Engines;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;
using Ashlar.Jobs;
using Ashlar.Postgres;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Agent;

/// <summary>A course of the stack as the agent knows it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Plan">What it wants to run. Pure.</param>
internal sealed record Tier(string Name, Func<PlanContext, IEnumerable<DesiredInstance>> Plan)
{
    /// <summary>What must be there before it can be planned. Pure.</summary>
    public Func<PlanContext, TierNeeds> Needs { get; init; } = _ => TierNeeds.None;

    /// <summary>What it adds to the environment of services. Pure.</summary>
    public Func<PlanContext, IEnumerable<KeyValuePair<string, string>>> Variables { get; init; } = _ => [];

    /// <summary>Numbers that <c>scale</c> may change beside those of services, with what the stack says: <c>database.replicas</c>.</summary>
    public Func<PlanContext, IEnumerable<(string Name, int Declared)>> Scales { get; init; } = _ => [];

    /// <summary>True: services stand on it. It is up before they start and stops after them.</summary>
    public bool IsBacking { get; init; }

    /// <summary>User that its engine's package makes, and that it runs as where there is one; null: the stack's own.</summary>
    public string? EngineUser { get; init; }

    /// <summary>How a person reaches its engine with all rights; null: it has none that is asked for. Pure.</summary>
    public Func<PlanContext, TierAccess?> Access { get; init; } = _ => null;

    /// <summary>What the last lines of an instance that ended while it started say, in our words; null: nothing that is known. Pure.</summary>
    public Func<string, IReadOnlyList<string>, AshlarError?> Explain { get; init; } = (_, _) => null;

    /// <summary>Refuses a stack that this machine cannot run, before anything is built for it.</summary>
    public Func<StackDefinition, CancellationToken, Task> Require { get; init; } = (_, _) => Task.CompletedTask;

    /// <summary>Makes in the data tiers, once they are up, what the release command may use.</summary>
    public Func<PlanContext, CancellationToken, Task> Prepare { get; init; } = (_, _) => Task.CompletedTask;

    /// <summary>Makes what looks after its engines; null: nothing has to.</summary>
    public Func<TierWatchHost, ITierWatch>? Watch { get; init; }
}

/// <summary>The tiers of the house. Each contributes a pure plan; nothing else here knows what a tier is.</summary>
internal static class Tiers
{
    /// <summary>The tier in front.</summary>
    public const string Edge = EdgePlan.Tier;

    /// <summary>What the team runs.</summary>
    public const string Services = ServicesPlan.Tier;

    /// <summary>The page that shows the stack.</summary>
    public const string Dashboard = DashboardPlan.Tier;

    /// <summary>What says where the stack is.</summary>
    public const string Dns = CatalogDns.Tier;

    /// <summary>All tiers in the order of the house, from the front.</summary>
    public static ImmutableArray<Tier> All { get; } =
    [
        new(Edge, context => EdgePlan.Plan(context)) { Require = EdgePlan.RequireAsync },
        new(Dns, DnsPlan.Plan) { Require = DnsPlan.RequireAsync },
        new(Services, ServicesPlan.Plan),
        new(PostgresTier.Tier, PostgresTier.Plan)
        {
            Needs = PostgresTier.Needs,
            Variables = PostgresTier.Variables,
            Scales = PostgresTier.Scales,
            IsBacking = true,
            EngineUser = PostgresTier.EngineUser,
            Access = PostgresTier.Access,
            Explain = PostgresTier.Explain,
            Require = PostgresTier.RequireAsync,
            Watch = PostgresTier.Watch,
        },
        new(RedisQueue.Tier, RedisQueue.Plan)
        {
            Needs = RedisQueue.Needs,
            Variables = RedisQueue.Variables,
            IsBacking = true,
            EngineUser = RedisQueue.EngineUser,
            Access = RedisQueue.Access,
            Explain = RedisQueue.Explain,
            Watch = RedisQueue.Watch,
        },
        new(CacheEngines.Tier, CacheEngines.Plan)
        {
            Needs = CacheEngines.Needs,
            Variables = CacheEngines.Variables,
            IsBacking = true,
            EngineUser = CacheEngines.EngineUser,
            Access = CacheEngines.Access,
            Explain = CacheEngines.Explain,
            Watch = CacheEngines.Watch,
        },
        new(JobsPlan.Tier, PlanJobs) { Needs = JobsPlan.Needs, Variables = JobsPlan.Variables, Prepare = (context, cancellation) => JobsPreparation.MakeAsync(context, PostgresTier.Access(context), cancellation) },
        new(Dashboard, DashboardPlan.Plan) { Needs = DashboardPlan.Needs },

        // Which machine has a member is no matter of the stack file: MachinePart adds it.
        new(EtcdTier.Tier, _ => []) { IsBacking = true, EngineUser = EtcdTier.EngineUser, Explain = EtcdTier.Explain, Watch = EtcdTier.Watch },
    ];

    /// <summary>The order in which they stop: what is in front last, but for what stands behind everything. They start in the opposite order.</summary>
    public static ImmutableArray<string> StopOrder { get; } =
        [JobsPlan.Tier, Services, Dashboard, Edge, Dns, .. All.Where(tier => tier.IsBacking).Select(tier => tier.Name)];

    /// <summary>Questions in the engines' own protocols, by kind.</summary>
    public static ImmutableDictionary<string, Func<ProbeSpec, CancellationToken, Task<HealthAnswer>>> Probes { get; } =
        ImmutableDictionary<string, Func<ProbeSpec, CancellationToken, Task<HealthAnswer>>>.Empty
            .Add(PostgresTier.Tier, PostgresTier.ProbeAsync)
            .Add(EngineProbes.Redis, EngineProbes.RedisAsync)
            .Add(EngineProbes.Memcached, EngineProbes.MemcachedAsync)
            .Add(EngineProbes.Etcd, EngineProbes.EtcdAsync);

    /// <summary>The tier of that name.</summary>
    public static Tier Of(string name) => All.First(tier => tier.Name == name);

    /// <summary>True: every machine has one of its own, in front of all that runs anywhere.</summary>
    public static bool IsEverywhere(string name) => name is Edge or Dns;

    /// <summary>True: services stand on it.</summary>
    public static bool IsBacking(string name) => All.Any(tier => tier.Name == name && tier.IsBacking);

    /// <summary>
    /// What an instance that ended while it started says is wrong: the error that its preparation has written, else what its tier reads
    /// from the engine's own last lines; null: nothing that is known.
    /// </summary>
    public static AshlarError? Explain(string tier, string instance, IReadOnlyList<string> lastLines) =>
        IsBacking(tier) ? ErrorLines.Find(lastLines) ?? Of(tier).Explain(instance, lastLines) : null;

    /// <summary>Refuses a stack that this machine cannot run.</summary>
    /// <exception cref="AshlarException">What a tier lacks, or what it is asked for and cannot be.</exception>
    public static async Task RequireAsync(StackDefinition stack, CancellationToken cancellation)
    {
        foreach (var tier in All)
        {
            await tier.Require(stack, cancellation);
        }
    }

    /// <summary>Makes in the data tiers what a release command may use.</summary>
    /// <exception cref="AshlarException">What a tier could not make.</exception>
    public static async Task PrepareAsync(PlanContext context, CancellationToken cancellation)
    {
        foreach (var tier in All)
        {
            await tier.Prepare(context, cancellation);
        }
    }

    /// <summary>What all tiers need before they can be planned.</summary>
    public static TierNeeds Needs(PlanContext context)
    {
        var needs = All.Select(tier => tier.Needs(context)).ToArray();
        return new TierNeeds([.. needs.SelectMany(n => n.Ports)], [.. needs.SelectMany(n => n.Secrets)]);
    }

    /// <summary>All instances that the tiers want, services with what the data tiers give them.</summary>
    /// <param name="context">The context with ports and secrets.</param>
    public static ImmutableArray<DesiredInstance> Plan(PlanContext context)
    {
        var complete = Complete(context);
        return [.. All.SelectMany(tier => tier.Plan(complete))];
    }

    /// <summary>Config vars that stand above what the stack's own data tiers give to services: often left over from before it had them. Pure.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="variables">Config vars.</param>
    /// <param name="given">What the tiers give now: the same value hides nothing.</param>
    public static ImmutableArray<AshlarError> Hidden(
        StackDefinition stack, IEnumerable<KeyValuePair<string, string>> variables, ImmutableSortedDictionary<string, string> given)
    {
        var own = All.Where(tier => tier.IsBacking).SelectMany(tier => tier.Variables(Sketch(stack)).Select(variable => (variable.Key, Tier: tier.Name))).ToArray();
        return
        [
            .. variables.Where(variable => given.GetValueOrDefault(variable.Key) != variable.Value)
                .Join(own, variable => variable.Key, variable => variable.Key, (variable, tier) => AgentErrors.VariableHides(variable.Key, tier.Tier)),
        ];
    }

    /// <summary>A context for plans that are never carried out: only names and numbers are read from them.</summary>
    public static PlanContext Sketch(StackDefinition stack) => new()
    {
        Stack = stack,
        Release = "",
        ReleaseFolder = stack.Directory,
        StateFolder = stack.Directory,
        Program = "",
        ProgramVersion = "",
    };

    /// <summary>The context with what the data tiers give to services.</summary>
    public static PlanContext Complete(PlanContext context)
    {
        var backing = All.Where(tier => tier.IsBacking).ToArray();
        return context with
        {
            Variables = All.SelectMany(tier => tier.Variables(context)).ToImmutableSortedDictionary(),
            // A replica may take hours to come up; what services need is the first of each. Who makes the schema that they enqueue by is one more.
            Backing =
            [
                .. backing.SelectMany(tier => tier.Plan(context)).Where(instance => instance.Index == 1 || instance.AwaitedFor is not null).Select(instance => instance.Name),
                .. PlanJobs(context).Select(instance => instance.Name),
            ],
        };
    }

    private static IEnumerable<DesiredInstance> PlanJobs(PlanContext context)
    {
        var agent = ServiceEnvironment.FromAgent();
        return JobsPlan.Plan(context, ServicesPlan.CommandEnvironment(context, agent), PostgresTier.Access(context), agent);
    }
}
