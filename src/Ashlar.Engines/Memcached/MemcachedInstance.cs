using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Engines.Memcached;

/// <summary>The stack's Memcached, as the cache tier's plan wants it. It has no users: loopback is its only guard. Pure.</summary>
internal static class MemcachedInstance
{
    /// <summary>Its service.</summary>
    public const string Service = "memcached";

    /// <summary>Its one instance.</summary>
    public const string Name = $"{Service}.1";

    // Changes when what it is started with does.
    private const int SettingsRevision = 1;

    // Other names by which Heroku's add-ons give its address, for apps that have asked for these.
    private static readonly (string AddOn, string Variable)[] _addOns =
        [("memcachier", "MEMCACHIER_SERVERS"), ("memcachedcloud", "MEMCACHEDCLOUD_SERVERS")];

    /// <summary>True: a person has stopped it.</summary>
    public static bool IsStopped(PlanContext context) => context.Stopped.Contains(Service) || context.Stopped.Contains(Name);

    /// <summary>What services find in their environment.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Variables(PlanContext context)
    {
        var server = string.Create(CultureInfo.InvariantCulture, $"{Engine.Address}:{Port(context)}");
        return _addOns.Where(addOn => context.Stack.AddOns.Contains(addOn.AddOn)).Select(addOn => addOn.Variable)
            .Prepend("MEMCACHED_SERVERS").Select(name => KeyValuePair.Create(name, server));
    }

    /// <summary>The instance.</summary>
    public static DesiredInstance Plan(PlanContext context, string tier, long memory) => new()
    {
        Tier = tier,
        Service = Service,
        Index = 1,
        Fingerprint = string.Create(CultureInfo.InvariantCulture,
            $"{SettingsRevision} memory={memory} port={Port(context)} user={context.UserOf(tier)} restarts={context.RestartCounts.GetValueOrDefault(Service)}+{context.RestartCounts.GetValueOrDefault(Name)}"),
        Readiness = Readiness.Probe,
        Probe = new ProbeSpec(EngineProbes.Memcached, Engine.Address, Port(context)),
        Port = Port(context),
        Exclusive = true,
        StopRequest = StopRequest.TerminateLeader,
        StopGrace = TimeSpan.FromSeconds(10),
        StartTimeout = TimeSpan.FromSeconds(30),
        Launch = new LaunchSpec
        {
            Command =
            [
                context.Program, EngineStart.Memcached,
                "--instance", Name,
                "--use", "cache",
                "--data", Path.Combine(context.StateFolder, "data", Name),
                "--memory", memory.ToString(CultureInfo.InvariantCulture),
            ],
            Environment = ChildEnvironment.OfOwnProgram,
            WorkingDirectory = context.StateFolder,
            LogPath = "",
            Tag = "",
            User = context.UserOf(tier),
            Memory = Engine.ProcessMemory(memory),
        },
    };

    private static int Port(PlanContext context) => context.Ports.GetValueOrDefault(Name);
}
