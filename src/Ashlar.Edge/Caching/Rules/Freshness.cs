using System.Runtime.InteropServices;

namespace Ashlar.Edge.Caching.Rules;

/// <summary>
/// How long a stored response serves (RFC 9111 section 4.2, RFC 5861), in milliseconds of a clock that only runs forward, so that no
/// step of the wall clock makes anything fresh again or stale before its time.
/// </summary>
/// <param name="Since">When it was received or last found valid, by that clock.</param>
/// <param name="InitialAge">Its age then.</param>
/// <param name="Lifetime">Age up to which it is fresh.</param>
/// <param name="WhileRevalidate">Time after that in which it may be served while it is being revalidated.</param>
/// <param name="IfError">Time after that in which it may be served instead of an error.</param>
/// <param name="AlwaysValidate">It is never used without asking (<c>no-cache</c>).</param>
/// <param name="NeverStale">It must not be served stale, whatever client or defaults say.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Freshness(
    long Since, long InitialAge, long Lifetime, long WhileRevalidate, long IfError, bool AlwaysValidate, bool NeverStale)
{
    private const long Longest = CacheDirectives.Forever * 1000;

    /// <summary>Works out what a response's fields give.</summary>
    /// <param name="facts">What its fields say.</param>
    /// <param name="now">Now, by the clock that only runs forward.</param>
    /// <param name="wallSeconds">Now, in seconds since 1970.</param>
    /// <param name="delay">Milliseconds from the request to the response.</param>
    /// <param name="ifError">Default time to serve stale instead of an error.</param>
    public static Freshness Of(in ResponseFacts facts, long now, long wallSeconds, long delay, long ifError)
    {
        var directives = facts.Directives;
        var apparent = facts.Date < 0 ? 0 : Math.Max(0, wallSeconds - facts.Date) * 1000;
        var corrected = Math.Min(facts.Age * 1000 + Math.Max(0, delay), Longest);
        var neverStale = directives.Has(CacheFlags.MustRevalidate | CacheFlags.ProxyRevalidate | CacheFlags.NoCache) || directives.SharedMaxAge >= 0;
        return new Freshness(
            now,
            Math.Max(apparent, corrected),
            LifetimeOf(in facts, wallSeconds),
            neverStale ? 0 : Math.Max(0, directives.StaleWhileRevalidate) * 1000,
            neverStale ? 0 : directives.StaleIfError >= 0 ? directives.StaleIfError * 1000 : ifError,
            directives.Has(CacheFlags.NoCache),
            neverStale);
    }

    /// <summary>Whether the response says itself how long it is fresh.</summary>
    public static bool IsExplicit(in ResponseFacts facts) =>
        facts.Directives.SharedMaxAge >= 0 || facts.Directives.MaxAge >= 0 || (!facts.IsTargeted && facts.Expires >= 0);

    /// <summary>Its age at a moment (RFC 9111 section 4.2.3).</summary>
    public long AgeAt(long now) => InitialAge + Math.Max(0, now - Since);

    /// <summary>Milliseconds for which it is still fresh; not more than 0: it is stale.</summary>
    public long FreshFor(long now) => Lifetime - AgeAt(now);

    /// <summary>Stale from this moment on, and no longer served while it is being revalidated: what a soft purge makes of it.</summary>
    public Freshness Expired(long now) => this with { Lifetime = Math.Min(Lifetime, AgeAt(now)) };

    private static long LifetimeOf(in ResponseFacts facts, long wallSeconds)
    {
        var directives = facts.Directives;
        var seconds = directives.SharedMaxAge >= 0 ? directives.SharedMaxAge
            : directives.MaxAge >= 0 ? directives.MaxAge
            : facts.IsTargeted || facts.Expires < 0 ? 0
            : Math.Clamp(facts.Expires - (facts.Date >= 0 ? facts.Date : wallSeconds), 0, CacheDirectives.Forever);
        return seconds * 1000;
    }
}
