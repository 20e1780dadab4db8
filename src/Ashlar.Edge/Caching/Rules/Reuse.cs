namespace Ashlar.Edge.Caching.Rules;

/// <summary>What may be done with a stored response for a request.</summary>
internal enum Reuse : byte
{
    /// <summary>It answers the request.</summary>
    Fresh,

    /// <summary>It answers the request, and is revalidated meanwhile.</summary>
    WhileRevalidating,

    /// <summary>It is stale, and the client takes it so.</summary>
    StaleByRequest,

    /// <summary>It has to be found valid first: it is stale.</summary>
    Validate,

    /// <summary>It has to be found valid first: the request wants that.</summary>
    ValidateByRequest,
}

/// <summary>RFC 9111 section 4: whether a stored response may be used.</summary>
internal static class ReuseRules
{
    /// <summary>Judges a stored response for a request.</summary>
    /// <param name="stored">How fresh it is.</param>
    /// <param name="request">What the request's Cache-Control says.</param>
    /// <param name="now">Now, by the clock that only runs forward.</param>
    public static Reuse Judge(in Freshness stored, in CacheDirectives request, long now)
    {
        var left = stored.FreshFor(now);
        if (request.Has(CacheFlags.NoCache) || (request.MaxAge >= 0 && stored.AgeAt(now) > request.MaxAge * 1000)
            || (request.MinFresh >= 0 && left < request.MinFresh * 1000))
        {
            return Reuse.ValidateByRequest;
        }

        if (stored.AlwaysValidate)
        {
            return Reuse.Validate;
        }

        if (left > 0)
        {
            return Reuse.Fresh;
        }

        if (-left < stored.WhileRevalidate)
        {
            return Reuse.WhileRevalidating;
        }

        return request.Has(CacheFlags.MaxStale) && !stored.NeverStale && (request.MaxStale < 0 || -left <= request.MaxStale * 1000)
            ? Reuse.StaleByRequest
            : Reuse.Validate;
    }
}
