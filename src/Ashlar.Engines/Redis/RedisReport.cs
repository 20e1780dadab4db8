using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Engines.Redis;

/// <summary>What <c>ashlar redis info</c> shows of a Redis.</summary>
/// <param name="Tier"><c>cache</c> or <c>queue</c>.</param>
/// <param name="Version">Its version.</param>
/// <param name="UptimeSeconds">Seconds since its start.</param>
/// <param name="Memory">Bytes of its data.</param>
/// <param name="MemoryLimit">Bytes of data that it may hold.</param>
/// <param name="Fragmentation">Bytes of the process for each byte of data.</param>
/// <param name="Policy">What it does when it is full: <c>allkeys-lru</c>, <c>noeviction</c>.</param>
/// <param name="Keys">Keys of all databases.</param>
/// <param name="Hits">Reads that found their key.</param>
/// <param name="Misses">Reads that did not.</param>
/// <param name="HitRatio">Part of the reads that found their key, 0 to 1; null: there were none.</param>
/// <param name="Evictions">Keys thrown away for want of memory.</param>
/// <param name="Clients">Open connections.</param>
/// <param name="Blocked">Clients that wait for something to come.</param>
/// <param name="Rejected">Connections turned away.</param>
/// <param name="CommandsPerSecond">Commands a second, now.</param>
/// <param name="Persistence">What it writes down and how that goes.</param>
public sealed record RedisReport(
    string Tier, string Version, long UptimeSeconds, long Memory, long MemoryLimit, double Fragmentation, string Policy, long Keys,
    long Hits, long Misses, double? HitRatio, long Evictions, long Clients, long Blocked, long Rejected, long CommandsPerSecond, string Persistence)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    /// <summary>Asks a Redis for it.</summary>
    /// <param name="tier">Its tier.</param>
    /// <param name="access">How to reach it.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="AshlarException">ASH7115: it does not answer, or says no.</exception>
    public static async Task<RedisReport> AskAsync(string tier, TierAccess access, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(_patience);
        try
        {
            using var client = await RedisClient.OpenAsync(access.Address, access.Port, access.User, access.Password, bound.Token);
            return Of(tier, await client.InfoAsync(bound.Token));
        }
        catch (Exception e) when (e is SocketException or RespException)
        {
            throw EngineErrors.BadAnswer(tier, e.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw EngineErrors.BadAnswer(tier, $"there was none within {_patience.TotalSeconds:0} s");
        }
    }

    internal static RedisReport Of(string tier, RedisInfo info)
    {
        var (hits, misses) = (info.Number("keyspace_hits"), info.Number("keyspace_misses"));
        _ = double.TryParse(info.Text("mem_fragmentation_ratio"), System.Globalization.CultureInfo.InvariantCulture, out var fragmentation);
        return new RedisReport(
            tier,
            info.Text("redis_version"),
            info.Number("uptime_in_seconds"),
            info.Number("used_memory"),
            info.Number("maxmemory"),
            fragmentation,
            info.Text("maxmemory_policy"),
            info.Keys,
            hits,
            misses,
            hits + misses == 0 ? null : (double)hits / (hits + misses),
            info.Number("evicted_keys"),
            info.Number("connected_clients"),
            info.Number("blocked_clients"),
            info.Number("rejected_connections"),
            info.Number("instantaneous_ops_per_sec"),
            info.Text("aof_enabled") != "1" ? "none"
                : info.WriteTrouble is { } trouble ? $"log of all writes; cannot write {trouble}"
                : "log of all writes, on disk within a second");
    }
}
