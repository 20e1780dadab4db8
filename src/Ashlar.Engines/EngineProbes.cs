using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Ashlar.Catalog;
using Ashlar.Engines.Etcd;
using Ashlar.Engines.Memcached;
using Ashlar.Engines.Redis;
using Ashlar.Processes;

namespace Ashlar.Engines;

/// <summary>Questions to engines in their own protocols.</summary>
public static class EngineProbes
{
    /// <summary>Kind of the question to Redis.</summary>
    public const string Redis = "redis";

    /// <summary>Kind of the question to Memcached.</summary>
    public const string Memcached = "memcached";

    /// <summary>Kind of the question to etcd.</summary>
    public const string Etcd = "etcd";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Asks Redis. One that reads its log is not ready yet; one that refuses writes or is busy with a script serves all the same: its
    /// watch tells people.
    /// </summary>
    public static Task<HealthAnswer> RedisAsync(ProbeSpec probe, CancellationToken cancellation) => AskAsync(async bound =>
    {
        using var client = await RedisClient.OpenAsync(probe.Address, probe.Port, probe.User, probe.Password, bound);
        var answer = await client.AskAsync(bound, "PING");
        return answer switch
        {
            { Kind: RespKind.Text, Text: "PONG" } => (true, "PONG"),
            _ when answer.IsError("MISCONF") || answer.IsError("BUSY") || answer.IsError("OOM") => (true, answer.Text),
            { Kind: RespKind.Error } => (false, answer.Text),
            _ => (false, "what it answered is not Redis"),
        };
    }, cancellation);

    /// <summary>Asks Memcached.</summary>
    public static Task<HealthAnswer> MemcachedAsync(ProbeSpec probe, CancellationToken cancellation) => AskAsync(async bound =>
    {
        using var client = await MemcachedClient.OpenAsync(probe.Address, probe.Port, bound);
        return (true, await client.VersionAsync(bound));
    }, cancellation);

    /// <summary>Asks etcd whether it runs: one that lacks the others is healthy, since a restart would not help.</summary>
    public static Task<HealthAnswer> EtcdAsync(ProbeSpec probe, CancellationToken cancellation) =>
        AskAsync(bound => EtcdHealth.LivesAsync(probe, bound), cancellation);

    /// <summary>Asks etcd whether it has a majority.</summary>
    public static Task<HealthAnswer> EtcdMajorityAsync(ProbeSpec probe, CancellationToken cancellation) => AskAsync(
        async bound => await EtcdHealth.HasMajorityAsync(probe, bound) ? (true, "majority") : (false, "no majority"), cancellation);

    private static async Task<HealthAnswer> AskAsync(Func<CancellationToken, Task<(bool Good, string Text)>> ask, CancellationToken cancellation)
    {
        var began = Stopwatch.GetTimestamp();
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(_patience);
        var (good, text) = (false, "");
        try
        {
            (good, text) = await ask(bound.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            text = string.Create(CultureInfo.InvariantCulture, $"no answer within {_patience.TotalSeconds:0.###} s");
        }
        catch (SocketException e)
        {
            text = e.SocketErrorCode switch
            {
                SocketError.ConnectionRefused => "connection refused",
                SocketError.ConnectionReset or SocketError.Shutdown => "connection closed without an answer",
                _ => e.Message,
            };
        }
        catch (HttpRequestException e)
        {
            text = e.HttpRequestError == HttpRequestError.ConnectionError ? "connection refused" : e.Message;
        }
        catch (Exception e) when (e is RespException or MemcachedException)
        {
            text = e.Message;
        }

        return new HealthAnswer(good, 0, text, Stopwatch.GetElapsedTime(began));
    }
}
