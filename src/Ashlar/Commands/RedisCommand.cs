using System.CommandLine;
using System.Globalization;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Catalog;
using Ashlar.Engines;
using Ashlar.Engines.Redis;
using Ashlar.Errors;
using Ashlar.Output;
using Ashlar.Processes;

namespace Ashlar.Commands;

/// <summary><c>ashlar redis cli</c> and <c>redis info</c>.</summary>
internal static class RedisCommand
{
    private static readonly string[] Clients = ["redis-cli", "valkey-cli"];

    public static Verb Verb { get; } = new("redis", VerbGroup.Run, "Talk to the stack's Redis, or show how it is", Create,
        "ashlar redis info", "ashlar redis info queue", "ashlar redis cli", "ashlar redis cli queue -- llen jobs");

    private static Command Create(Cli cli)
    {
        return VerbCall.Command(cli, Verb,
        [
            VerbCall.Command(cli, "info", "version, memory, hit ratio, evictions, clients, persistence", [Tier(out var shown)],
                (call, cancellation) => InfoAsync(call, call.Value(shown), cancellation)),
            VerbCall.Command(cli, "cli", "become redis-cli, as a user with all rights", [Tier(out var asked), Words(out var words)],
                (call, cancellation) => BecomeAsync(call, call.Value(asked), OneOff.Strip(call.Value(words)!), cancellation)),
        ], (_, _) => throw CliErrors.Usage("redis", "it needs a second word: info or cli."));
    }

    private static Argument<string?> Tier(out Argument<string?> tier) => tier = new Argument<string?>("TIER")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "cache or queue; default: the cache, or the queue where there is none",
    };

    private static Argument<string[]> Words(out Argument<string[]> words) => words = new Argument<string[]>("ARGUMENT")
    {
        Arity = ArgumentArity.ZeroOrMore,
        CaptureRemainingTokens = true,
        Description = "arguments of redis-cli, after --",
    };

    private static async Task<int> InfoAsync(VerbCall call, string? tier, CancellationToken cancellation)
    {
        var (name, access) = await AccessAsync(call, tier, cancellation);
        call.Print(await RedisReport.AskAsync(name, access, cancellation), CliJson.Default.RedisReport, Render);
        return ExitCodes.Ok;
    }

    private static async Task<int> BecomeAsync(VerbCall call, string? tier, string[] words, CancellationToken cancellation)
    {
        // "ashlar redis cli -- ping": what stands behind -- is never a tier.
        if (tier is not null and not (CacheEngines.Tier or RedisQueue.Tier))
        {
            string[] given = tier == "--" ? words : [tier, .. words];
            (tier, words) = (null, given);
        }

        var (_, access) = await AccessAsync(call, tier, cancellation);
        var program = Clients.Select(Doctoring.Programs.Find).FirstOrDefault(path => path is not null)
            ?? throw CliErrors.NotPossible("there is no redis-cli on this machine.", "apt-get install redis-tools, or ashlar doctor --fix.");
        var environment = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? "", StringComparer.Ordinal);
        environment["REDISCLI_AUTH"] = environment["VALKEYCLI_AUTH"] = access.Password;
        ExecInPlace.Run(program, Arguments(program, access, words), environment);
        return ExitCodes.Failed;
    }

    /// <summary>The command line of redis-cli; the password is not in it.</summary>
    internal static string[] Arguments(string program, TierAccess access, string[] words) =>
        [program, "-h", access.Address, "-p", access.Port.ToString(CultureInfo.InvariantCulture), "--user", access.User, .. words];

    private static async Task<(string Tier, TierAccess Access)> AccessAsync(VerbCall call, string? tier, CancellationToken cancellation)
    {
        if (tier is not (null or CacheEngines.Tier or RedisQueue.Tier))
        {
            throw CliErrors.Usage("redis", $"'{tier}' is neither cache nor queue.");
        }

        await using var agent = await call.AgentAsync(cancellation);
        if (tier is null)
        {
            try
            {
                return (CacheEngines.Tier, await AskAsync(CacheEngines.Tier));
            }
            catch (AshlarException e) when (e.Error.Code == UnknownEngine)
            {
                tier = RedisQueue.Tier;
            }
        }

        return (tier, await AskAsync(tier));

        async Task<TierAccess> AskAsync(string name) =>
            await agent.AskAsync(AgentVerbs.Access, new AccessArguments(name), AgentJson.Default.AccessArguments, AgentJson.Default.TierAccess, null, cancellation)
            ?? throw AgentErrors.ConnectionLost(AgentVerbs.Access);
    }

    private static string UnknownEngine { get; } = AgentErrors.UnknownTarget("", []).Error.Code;

    private static string Render(Screen screen, RedisReport report)
    {
        var table = new Table(new Column(""), new Column(""));
        table.Add("tier", report.Tier);
        table.Add("version", report.Version);
        table.Add("uptime", Units.Duration(TimeSpan.FromSeconds(report.UptimeSeconds)));
        table.Add("memory", string.Create(CultureInfo.InvariantCulture,
            $"{Units.Bytes(report.Memory)} of {Units.Bytes(report.MemoryLimit)} ({100.0 * report.Memory / Math.Max(1, report.MemoryLimit):0} %), fragmentation {report.Fragmentation:0.00}"));
        table.Add("when full", report.Policy);
        table.Add("keys", report.Keys.ToString(CultureInfo.InvariantCulture));
        table.Add("hits", report.HitRatio is { } ratio
            ? string.Create(CultureInfo.InvariantCulture, $"{100 * ratio:0.0} % of {report.Hits + report.Misses} reads")
            : "no reads yet");
        table.Add("evictions", report.Evictions.ToString(CultureInfo.InvariantCulture));
        table.Add("clients", string.Create(CultureInfo.InvariantCulture, $"{report.Clients}, {report.Blocked} of them waiting, {report.Rejected} turned away"));
        table.Add("commands/s", report.CommandsPerSecond.ToString(CultureInfo.InvariantCulture));
        table.Add("persistence", report.Persistence);
        return table.Render(screen);
    }
}
