using System.Collections.Immutable;
using Ashlar.Engines.Memcached;
using Ashlar.Engines.Redis;
using Ashlar.Stack;

namespace Ashlar.Engines.Preparing;

/// <summary>An engine that a stack asks for, as <c>doctor</c> looks at it.</summary>
/// <param name="Key">Key of the stack file.</param>
/// <param name="Programs">Its programs, of which one is needed.</param>
/// <param name="Package">Debian's package.</param>
/// <param name="Memory">Memory for data in bytes.</param>
public sealed record EngineNeed(string Key, ImmutableArray<string> Programs, string Package, long Memory)
{
    /// <summary>The engines that the stack asks for, PostgreSQL excepted.</summary>
    public static IEnumerable<EngineNeed> Of(StackDefinition stack)
    {
        if (stack.Cache?.Redis is { } cache)
        {
            yield return new("cache.redis", [.. RedisStart.Programs], RedisStart.Package, cache.Memory);
        }

        if (stack.Queue?.Redis is { } queue)
        {
            yield return new("queue.redis", [.. RedisStart.Programs], RedisStart.Package, queue.Memory);
        }

        if (stack.Cache?.Memcached is { } memcached)
        {
            yield return new("cache.memcached", [MemcachedStart.Program], MemcachedStart.Program, memcached.Memory);
        }
    }

    /// <summary>Path of its program on this machine, or null.</summary>
    public string? Path => Preparation.Find(Environment.GetEnvironmentVariable("PATH") ?? "", Programs);

    /// <summary>The least memory that it works with, and the most that this machine could give it.</summary>
    public static (long Least, long Most) MemoryBounds => (Engine.LeastMemory, Preparation.MachineMemory());
}
