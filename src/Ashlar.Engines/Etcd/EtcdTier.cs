using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Engines.Etcd;

/// <summary>The engine that holds the stack's state on many machines. Which machines have a member is said by whoever adds machines.</summary>
public static class EtcdTier
{
    /// <summary>Name of the tier.</summary>
    public const string Tier = "state";

    /// <summary>Its service: <c>etcd.1</c>.</summary>
    public const string Service = "etcd";

    /// <summary>User that Debian's package makes.</summary>
    public const string EngineUser = "etcd";

    private const int LongestLine = 200;
    private static readonly TimeSpan _timeToStart = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _timeToStop = TimeSpan.FromSeconds(20);

    /// <summary>
    /// The instance on this machine. Pure. It is ready when it answers, with a majority or without: else members that begin together would
    /// wait for each other. Changed members, token or backup do not restart it: only its first start reads them.
    /// </summary>
    public static DesiredInstance Plan(PlanContext context, EtcdMember member)
    {
        var instance = string.Create(CultureInfo.InvariantCulture, $"{Service}.{member.Index}");
        var folder = Path.Combine(context.StateFolder, "data", instance);
        return new DesiredInstance
        {
            Tier = Tier,
            Service = Service,
            Index = member.Index,
            Fingerprint = Fingerprint(context, member, instance),
            Readiness = Readiness.Probe,
            Probe = new ProbeSpec(EngineProbes.Etcd, Engine.Address, member.MetricsPort),
            Port = member.ClientPort,
            Exclusive = true,
            KeepsData = true,
            StopRequest = StopRequest.TerminateLeader,
            StopGrace = _timeToStop,
            StartTimeout = _timeToStart,
            Launch = new LaunchSpec
            {
                Command =
                [
                    context.Program, EngineStart.Etcd, "--instance", instance, "--use", "state", "--data", folder, "--memory", "0",
                    .. member.Restore is { } backup ? [EtcdStart.RestoreOption, backup] : Array.Empty<string>(),
                    EtcdStart.Rest, .. member.Arguments(Path.Combine(folder, EtcdStart.Data)),
                ],
                Environment = ChildEnvironment.OfOwnProgram,
                WorkingDirectory = context.StateFolder,
                LogPath = "",
                Tag = "",
                User = context.UserOf(Tier),
            },
        };
    }

    /// <summary>Makes what looks after the member.</summary>
    public static ITierWatch Watch(TierWatchHost host) => new MemberWatch(host, TimeProvider.System);

    /// <summary>What the last lines of a member that ended while it started say, in our words; null: nothing that is known. Pure.</summary>
    public static AshlarError? Explain(string instance, IReadOnlyList<string> lastLines) =>
        lastLines.LastOrDefault(line => line.Contains("no space left on device", StringComparison.Ordinal)) is { } said ? EngineErrors.CannotWrite(Tier, instance, Shorten(said))
        : lastLines.LastOrDefault(line => line.Contains("the member has been permanently removed", StringComparison.Ordinal)) is not null ? EtcdErrors.NoMember(instance).Error
        : null;

    private static string Shorten(string line) => line.Length <= LongestLine ? line : $"{line.AsSpan(0, LongestLine)}…";

    private static string Fingerprint(PlanContext context, EtcdMember member, string instance)
    {
        var text = string.Create(CultureInfo.InvariantCulture,
            $"{member.Name} {string.Join(' ', member.Standing())} user={context.UserOf(Tier)} restarts={context.RestartCounts.GetValueOrDefault(Service)}+{context.RestartCounts.GetValueOrDefault(instance)}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
    }
}
