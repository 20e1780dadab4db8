using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Ashlar.Catalog.Channel;
using Ashlar.Edge.Caching.Store;
using Ashlar.Edge.Forwarding;

namespace Ashlar.Edge.Caching;

/// <summary>What the agent has the cache do: purge, tell its figures, tell what is stored of a URL.</summary>
internal static class CacheCommands
{
    public static CommandResult CarryOut(EdgeServer server, Command command)
    {
        var arguments = command.Arguments;
        var cache = server.Cache;
        var answer = (arguments.GetValueOrDefault("action"), cache) switch
        {
            (_, null) => new CacheAnswer(),
            ("purge", _) => new CacheAnswer
            {
                Purged = new PurgeOrder(arguments.GetValueOrDefault("url"), arguments.GetValueOrDefault("tag"), arguments.ContainsKey("soft")).CarryOut(cache),
            },
            ("stats", _) => new CacheAnswer { Figures = Figures(server, cache) },
            ("explain", _) => Explain(cache, arguments.GetValueOrDefault("url") ?? ""),
            _ => null,
        };
        return answer is null
            ? new CommandResult(false, "The cache knows no such action.")
            : new CommandResult(true, JsonSerializer.Serialize(answer, CacheAnswerJson.Default.CacheAnswer));
    }

    private static CacheFigures Figures(EdgeServer server, HttpCache cache)
    {
        var counts = server.CacheCounts();
        long Of(params ReadOnlySpan<CacheWord> words)
        {
            var sum = 0L;
            foreach (var word in words)
            {
                sum += counts[(int)word];
            }

            return sum;
        }

        return new CacheFigures
        {
            Limit = cache.Memory.Limit,
            Used = cache.Memory.Used,
            Stored = cache.Count,
            Hits = Of(CacheWord.Hit),
            Stale = Of(CacheWord.Stale),
            Collapsed = Of(CacheWord.Collapsed),
            Revalidated = Of(CacheWord.Revalidated),
            Misses = Of(CacheWord.Miss, CacheWord.VaryMiss, CacheWord.Refreshed, CacheWord.Request),
            Passed = Of(CacheWord.Method, CacheWord.Bypass),
            BytesServed = counts[CacheScratch.BytesServed],
            Evictions = cache.Evictions,
        };
    }

    private static CacheAnswer Explain(HttpCache cache, string url)
    {
        var variants = ImmutableArray.CreateBuilder<CacheVariant>();
        var (asking, passed) = (0, false);
        var now = Environment.TickCount64;
        foreach (var key in PurgeOrder.KeysOf(url))
        {
            passed |= cache.Passes.Knows(cache.HashOf(key), now);
            if (cache.Find(key) is { } slot)
            {
                asking += slot.Pending;
                variants.AddRange(slot.Variants.Where(cache.IsCurrent).Select(variant => Variant(key, variant, now)));
            }
        }

        return new CacheAnswer { Variants = variants.ToImmutable(), Asking = asking, Passed = passed };
    }

    private static CacheVariant Variant(byte[] key, StoredResponse stored, long now)
    {
        var freshness = stored.IsExpired ? stored.Freshness.Expired(now) : stored.Freshness;
        return new CacheVariant
        {
            Scheme = key[0] == 's' ? "https" : "http",
            Status = stored.Status,
            Bytes = stored.Length,
            Age = freshness.AgeAt(now) / 1000,
            FreshFor = freshness.AlwaysValidate ? 0 : freshness.FreshFor(now) / 1000,
            Vary = [.. stored.Variation.Names.Select(name => Encoding.Latin1.GetString(name))],
            Tags = [.. stored.Tags.Select(tag => tag.Name)],
            Validator = stored.ETag.IsEmpty ? stored.LastModified >= 0 ? "Last-Modified" : "" : $"ETag {Encoding.Latin1.GetString(stored.ETag.Span)}",
        };
    }
}
