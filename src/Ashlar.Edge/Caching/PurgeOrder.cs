using System.Text;

namespace Ashlar.Edge.Caching;

/// <summary>What is to be taken out: one URL, what has one tag, or everything.</summary>
/// <param name="Url"><c>http://host/path?query</c>, of both schemes; or a path, of every host.</param>
/// <param name="Tag">A tag.</param>
/// <param name="Soft">True: it only becomes stale, and is revalidated.</param>
public sealed record PurgeOrder(string? Url, string? Tag, bool Soft)
{
    /// <summary>Carries it out; says how many responses were stored of what is meant.</summary>
    internal int CarryOut(HttpCache cache)
    {
        if (Tag is not null)
        {
            return cache.PurgeTag(Tag, Soft);
        }

        if (Url is null)
        {
            return cache.PurgeAll(Soft);
        }

        return Url.StartsWith('/') ? cache.PurgePath(Encoding.Latin1.GetBytes(Url), Soft)
            : KeysOf(Url).Sum(key => cache.Purge(key, Soft));
    }

    /// <summary>The keys of a URL, with TLS and without; none: it is no URL.</summary>
    internal static byte[][] KeysOf(string url)
    {
        var at = url.IndexOf("://", StringComparison.Ordinal);
        var rest = at < 0 ? url : url[(at + 3)..];
        var end = rest.AsSpan().IndexOfAny('/', '?', '#');
        var host = end < 0 ? rest : rest[..end];
        var path = end < 0 ? "/" : rest[end..].Split('#')[0];
        if (host.Length == 0 || rest.Contains(' ', StringComparison.Ordinal))
        {
            return [];
        }

        var key = host.ToLowerInvariant() + (path.StartsWith('/') ? "" : "/") + path;
        return [Encoding.Latin1.GetBytes("h" + key), Encoding.Latin1.GetBytes("s" + key)];
    }
}
