using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Engines.Redis;

/// <summary>One Redis of the stack, as its tier's plan wants it. Pure.</summary>
/// <param name="tier">Name of the tier, of the service and of the secrets.</param>
/// <param name="use">What it is for.</param>
internal sealed class RedisInstance(string tier, RedisUse use)
{
    /// <summary>User that services have.</summary>
    public const string AppUser = "app";

    /// <summary>User that Ashlar and people who command the stack have.</summary>
    public const string AdminUser = "ashlar";

    // What it can read of its log in a second, at least; a queue's Redis is not ready before it has read all of it.
    private const long ReadPerSecond = 10 << 20;
    private static readonly TimeSpan _leastTimeToStart = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _timeToStop = TimeSpan.FromSeconds(60);

    /// <summary>Its one instance: <c>cache.1</c>.</summary>
    public string Name { get; } = $"{tier}.1";

    /// <summary>What must be there before it can be planned.</summary>
    public TierNeeds Needs => new([Name], [Secret(AppUser), Secret(AdminUser)]);

    /// <summary>True: a person has stopped it.</summary>
    public bool IsStopped(PlanContext context) => context.Stopped.Contains(tier) || context.Stopped.Contains(Name);

    /// <summary>The URL that services get; with it they may do all that concerns data.</summary>
    public string Url(PlanContext context) => string.Create(
        CultureInfo.InvariantCulture, $"redis://{AppUser}:{Password(context, AppUser)}@{Engine.Address}:{Port(context)}/0");

    /// <summary>How a person reaches it.</summary>
    public TierAccess Access(PlanContext context) => new(Engine.Address, Port(context), AdminUser, Password(context, AdminUser), "0");

    /// <summary>The instance.</summary>
    public DesiredInstance Plan(PlanContext context, long memory)
    {
        var data = Path.Combine(context.StateFolder, "data", Name);
        return new DesiredInstance
        {
            Tier = tier,
            Service = tier,
            Index = 1,
            Fingerprint = Fingerprint(context, memory, data),
            Readiness = Readiness.Probe,
            Probe = new ProbeSpec(EngineProbes.Redis, Engine.Address, Port(context), AdminUser, Password(context, AdminUser)),
            Port = Port(context),
            Exclusive = true,
            KeepsData = use == RedisUse.Queue,
            StopRequest = StopRequest.TerminateLeader,
            StopGrace = _timeToStop,
            StartTimeout = use == RedisUse.Queue ? _leastTimeToStart + TimeSpan.FromSeconds(memory / (double)ReadPerSecond) : _leastTimeToStart,
            Launch = new LaunchSpec
            {
                Command =
                [
                    context.Program, EngineStart.Redis,
                    "--instance", Name,
                    "--use", use == RedisUse.Queue ? "queue" : "cache",
                    "--data", data,
                    "--memory", memory.ToString(CultureInfo.InvariantCulture),
                ],
                Environment = ChildEnvironment.OfOwnProgram
                    .Add(EngineStart.AppPassword, Password(context, AppUser))
                    .Add(EngineStart.AdminPassword, Password(context, AdminUser)),
                WorkingDirectory = context.StateFolder,
                LogPath = "",
                Tag = "",
                User = context.UserOf(tier),
                Memory = Engine.ProcessMemory(memory),
            },
        };
    }

    private string Fingerprint(PlanContext context, long memory, string data)
    {
        var settings = new RedisSettings(use, Port(context), data, memory, Password(context, AppUser), Password(context, AdminUser));
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{settings.Write(RedisSettings.Newest)}user={context.UserOf(tier)} restarts={context.RestartCounts.GetValueOrDefault(tier)}+{context.RestartCounts.GetValueOrDefault(Name)}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
    }

    private string Secret(string user) => $"{tier}.{user}";

    private string Password(PlanContext context, string user) => context.Secrets.GetValueOrDefault(Secret(user), "");

    private int Port(PlanContext context) => context.Ports.GetValueOrDefault(Name);
}
