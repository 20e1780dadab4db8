using Ashlar.Edge.Caching.Rules;

namespace Ashlar.Edge.Caching;

/// <summary>What the cache did for a request, in the words of RFC 9211.</summary>
internal enum CacheWord : byte
{
    /// <summary>It had no part in it.</summary>
    None,

    /// <summary>Answered from the store.</summary>
    Hit,

    /// <summary>Answered from the store, stale: it is revalidated meanwhile, the client allows it, or the app fails.</summary>
    Stale,

    /// <summary>Asked the app: nothing is stored for this URL.</summary>
    Miss,

    /// <summary>Asked the app: nothing is stored for this variant of the URL.</summary>
    VaryMiss,

    /// <summary>Answered with what another request was getting.</summary>
    Collapsed,

    /// <summary>Asked the app about a stale response, and got another.</summary>
    Refreshed,

    /// <summary>Asked the app about a stale response, and it is still valid.</summary>
    Revalidated,

    /// <summary>Asked the app, because the request wants that.</summary>
    Request,

    /// <summary>Asked the app, because of the method.</summary>
    Method,

    /// <summary>Asked the app: the request is of a kind that is not looked up.</summary>
    Bypass,
}

/// <summary>Their names, as logs and metrics have them.</summary>
internal static class CacheWords
{
    private static readonly string[] _names = ["", "hit", "stale", "miss", "vary-miss", "collapsed", "refreshed", "revalidated", "request", "method", "bypass"];

    public static string Name(CacheWord word) => _names[(int)word];
}

/// <summary>Writes <c>Cache-Status</c> lines (RFC 9211).</summary>
internal static class CacheStatus
{
    /// <summary>Most bytes of a line.</summary>
    public const int Longest = 128;

    /// <summary>The line for an answer from the store.</summary>
    public static int WriteHit(Span<byte> to, CacheWord word, long freshForSeconds)
    {
        var length = Add(to, 0, word switch
        {
            CacheWord.Collapsed => "Cache-Status: ashlar; fwd=uri-miss; collapsed; ttl="u8,
            CacheWord.Revalidated => "Cache-Status: ashlar; fwd=stale; fwd-status=304; ttl="u8,
            _ => "Cache-Status: ashlar; hit; ttl="u8,
        });
        freshForSeconds.TryFormat(to[length..], out var digits);
        return Add(to, length + digits, "\r\n"u8);
    }

    /// <summary>The line for an answer from the app.</summary>
    public static int WriteForwarded(Span<byte> to, CacheWord word, StoreRule rule)
    {
        var length = Add(to, 0, "Cache-Status: ashlar; fwd="u8);
        length = Add(to, length, word switch
        {
            CacheWord.VaryMiss => "vary-miss"u8,
            CacheWord.Refreshed => "stale"u8,
            CacheWord.Request => "request"u8,
            CacheWord.Method => "method"u8,
            CacheWord.Bypass => "bypass"u8,
            _ => "uri-miss"u8,
        });
        if (rule == StoreRule.Stored)
        {
            length = Add(to, length, "; stored"u8);
        }
        else if (word is not (CacheWord.Method or CacheWord.Bypass))
        {
            length = Add(to, length, "; detail="u8);
            var name = StoreRules.NameOf(rule);
            length += System.Text.Encoding.ASCII.GetBytes(name, to[length..]);
        }

        return Add(to, length, "\r\n"u8);
    }

    private static int Add(Span<byte> to, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to[at..]);
        return at + bytes.Length;
    }
}
