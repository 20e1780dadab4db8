namespace Ashlar.Edge.Caching.Rules;

/// <summary>Why a response is stored or not.</summary>
internal enum StoreRule : byte
{
    /// <summary>It is stored.</summary>
    Stored,

    /// <summary>The request was no GET, had a body or asked for a part.</summary>
    Request,

    /// <summary>The request said <c>no-store</c>.</summary>
    RequestNoStore,

    /// <summary>The response says <c>no-store</c>.</summary>
    NoStore,

    /// <summary>The response says <c>private</c>.</summary>
    Private,

    /// <summary>It does not say how long it is fresh, and nothing is guessed.</summary>
    NoFreshness,

    /// <summary>It is stale already and has nothing to be revalidated by.</summary>
    Stale,

    /// <summary>The request had Authorization, and the response does not say that it is for all (RFC 9111 section 3.5).</summary>
    Authorization,

    /// <summary>The request had a Cookie, and the response does not say that it is for all.</summary>
    Cookie,

    /// <summary>It sets a cookie, and does not say <c>public</c>.</summary>
    SetCookie,

    /// <summary>Its body has a coding by which variants are not told apart.</summary>
    Coding,

    /// <summary><c>Vary: *</c>.</summary>
    VaryAll,

    /// <summary>206, 304, one that speaks of one request alone, or one that must be understood and is not.</summary>
    Status,

    /// <summary>Where its body ends can only be told by the end of the connection: a broken one would look whole.</summary>
    NoLength,

    /// <summary>It is larger than one response may be.</summary>
    TooLarge,

    /// <summary>It has more tags, or longer ones, than can be kept.</summary>
    Tags,

    /// <summary>There is no room.</summary>
    NoRoom,

    /// <summary>It was purged while it came.</summary>
    Purged,

    /// <summary>It broke off.</summary>
    Truncated,
}

/// <summary>The rules by which responses are stored (RFC 9111 section 3).</summary>
internal static class StoreRules
{
    /// <summary>Whether a response to a GET may be stored.</summary>
    /// <param name="status">Its status.</param>
    /// <param name="facts">What its fields say.</param>
    /// <param name="hasAuthorization">The request had Authorization.</param>
    /// <param name="hasCookie">The request had a Cookie that counts.</param>
    public static StoreRule Judge(int status, in ResponseFacts facts, bool hasAuthorization, bool hasCookie)
    {
        var directives = facts.Directives;
        var isForAll = directives.Has(CacheFlags.Public) || directives.SharedMaxAge >= 0 || facts.IsTargeted;
        if (status is < 200 or 206 or 304 || IsOfOneRequest(status))
        {
            return StoreRule.Status;
        }

        if (directives.Has(CacheFlags.MustUnderstand))
        {
            if (!IsUnderstood(status))
            {
                return StoreRule.Status;
            }
        }
        else if (directives.Has(CacheFlags.NoStore))
        {
            return StoreRule.NoStore;
        }

        return directives.Has(CacheFlags.Private) ? StoreRule.Private
            : facts.VariesOnAll ? StoreRule.VaryAll
            : hasAuthorization && !isForAll && !directives.Has(CacheFlags.MustRevalidate) ? StoreRule.Authorization
            : hasCookie && !isForAll ? StoreRule.Cookie
            : facts.HasSetCookie && !directives.Has(CacheFlags.Public) ? StoreRule.SetCookie
            : !Freshness.IsExplicit(in facts) && !directives.Has(CacheFlags.NoCache) ? StoreRule.NoFreshness
            : StoreRule.Stored;
    }

    /// <summary>The name of a rule as <c>Cache-Status</c> and <c>ashlar cache explain</c> say it.</summary>
    public static string NameOf(StoreRule rule) => rule switch
    {
        StoreRule.Stored => "stored",
        StoreRule.Request => "request",
        StoreRule.RequestNoStore => "request-no-store",
        StoreRule.NoStore => "no-store",
        StoreRule.Private => "private",
        StoreRule.NoFreshness => "no-freshness",
        StoreRule.Stale => "stale",
        StoreRule.Authorization => "authorization",
        StoreRule.Cookie => "cookie",
        StoreRule.SetCookie => "set-cookie",
        StoreRule.VaryAll => "vary-all",
        StoreRule.Coding => "coding",
        StoreRule.Status => "status",
        StoreRule.NoLength => "no-length",
        StoreRule.TooLarge => "too-large",
        StoreRule.Tags => "tags",
        StoreRule.NoRoom => "no-room",
        StoreRule.Purged => "purged",
        _ => "truncated",
    };

    // Of its conditions, its part, its size, its pace: another request for the same would have been answered otherwise.
    private static bool IsOfOneRequest(int status) => status is 408 or 412 or 413 or 415 or 416 or 417 or 421 or 425 or 426 or 428 or 429 or 431;

    private static bool IsUnderstood(int status) => status is
        200 or 203 or 204 or 300 or 301 or 302 or 303 or 307 or 308 or 404 or 405 or 410 or 414 or 501;
}
