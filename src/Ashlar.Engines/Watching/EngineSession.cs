using Ashlar.Catalog;
using Ashlar.Engines.Memcached;
using Ashlar.Engines.Redis;

namespace Ashlar.Engines.Watching;

/// <summary>A connection on which an engine is asked for its figures again and again.</summary>
internal sealed class EngineSession : IDisposable
{
    private readonly IDisposable _client;
    private readonly Func<CancellationToken, Task<EngineFigures>> _ask;

    private EngineSession(IDisposable client, Func<CancellationToken, Task<EngineFigures>> ask) => (_client, _ask) = (client, ask);

    /// <summary>Connects by the protocol of the probe.</summary>
    public static async Task<EngineSession> OpenAsync(ProbeSpec probe, CancellationToken cancellation)
    {
        if (probe.Kind == EngineProbes.Redis)
        {
            var redis = await RedisClient.OpenAsync(probe.Address, probe.Port, probe.User, probe.Password, cancellation);
            return new EngineSession(redis, async bound => (await redis.InfoAsync(bound)).Figures());
        }

        var memcached = await MemcachedClient.OpenAsync(probe.Address, probe.Port, cancellation);
        return new EngineSession(memcached, async bound => MemcachedFigures.Of(await memcached.StatsAsync(bound)));
    }

    /// <summary>Asks once.</summary>
    public Task<EngineFigures> FiguresAsync(CancellationToken cancellation) => _ask(cancellation);

    /// <inheritdoc />
    public void Dispose() => _client.Dispose();
}
