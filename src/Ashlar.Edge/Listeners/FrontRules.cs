using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Edge.Routing;

namespace Ashlar.Edge;

/// <summary>
/// What the public listeners answer themselves before any route is looked at: redirects to HTTPS and to the canonical host, and what an ACME
/// authority asks. Immutable and built once per snapshot.
/// </summary>
internal sealed class FrontRules
{
    private static readonly FrontRules _none = new(new CatalogSnapshot { Revision = 0, Stack = "" });
    private readonly HashSet<byte[]>.AlternateLookup<ReadOnlySpan<byte>> _redirected;
    private readonly HashSet<byte[]>.AlternateLookup<ReadOnlySpan<byte>> _movedToCanonical;
    private readonly FrozenDictionary<string, byte[]>.AlternateLookup<ReadOnlySpan<char>> _challenges;
    private readonly byte[] _securePort;

    public FrontRules(CatalogSnapshot snapshot)
    {
        var tls = snapshot.Tls;
        var secure = snapshot.Listeners.FirstOrDefault(static listener => listener.Tls);
        _securePort = secure is null or { Port: 443 } ? [] : Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $":{secure.Port}"));
        _redirected = Set(secure is null ? [] : tls.Redirected);
        _movedToCanonical = Set(tls.Canonical is null ? [] : snapshot.Domains.Where(domain => !string.Equals(domain, tls.Canonical, StringComparison.OrdinalIgnoreCase)));
        Canonical = tls.Canonical is null ? [] : Encoding.ASCII.GetBytes(tls.Canonical.ToLowerInvariant());
        _challenges = tls.Challenges.ToFrozenDictionary(c => c.Token, c => Encoding.ASCII.GetBytes(c.Answer), StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        HstsLine = tls.HstsSeconds <= 0 ? []
            : Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Strict-Transport-Security: max-age={tls.HstsSeconds}\r\n"));
        HasAny = _redirected.Set.Count > 0 || _movedToCanonical.Set.Count > 0 || !tls.Challenges.IsEmpty;
    }

    public static FrontRules None => _none;

    /// <summary>False: plain requests need not be looked at.</summary>
    public bool HasAny { get; }

    /// <summary>The domain that others are redirected to; empty: none.</summary>
    public byte[] Canonical { get; }

    /// <summary>Line for answers over TLS; empty: none.</summary>
    public byte[] HstsLine { get; }

    /// <summary>Path under which an ACME authority asks (RFC 8555 section 8.3).</summary>
    public static ReadOnlySpan<byte> ChallengePath => "/.well-known/acme-challenge/"u8;

    /// <summary>Where a request belongs, if that is elsewhere.</summary>
    /// <param name="host">Effective host as received.</param>
    /// <param name="secure">True: the client speaks TLS.</param>
    /// <param name="name">Host to go to.</param>
    /// <param name="port">What follows it: empty, or a colon and a port. The one received where the scheme stays.</param>
    public bool Moves(ReadOnlySpan<byte> host, bool secure, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> port)
    {
        name = HostName.Strip(host);
        port = host[name.Length..].TrimStart((byte)'.');
        var moved = _movedToCanonical.Contains(name);
        if (moved)
        {
            name = Canonical;
        }

        if (secure || !_redirected.Contains(name))
        {
            return moved;
        }

        port = _securePort;
        return true;
    }

    /// <summary>True if plain HTTP of this host, given without port, is redirected to HTTPS.</summary>
    public bool IsRedirected(ReadOnlySpan<byte> name) => _redirected.Contains(name);

    /// <summary>What an ACME authority wants to read under this path; empty: nothing that is known.</summary>
    public ReadOnlySpan<byte> AnswerTo(ReadOnlySpan<byte> path)
    {
        Span<char> token = stackalloc char[128];
        return path.StartsWith(ChallengePath) && path.Length - ChallengePath.Length <= token.Length
            && Encoding.ASCII.TryGetChars(path[ChallengePath.Length..], token, out var length)
            && _challenges.TryGetValue(token[..length], out var answer) ? answer : default;
    }

    private static HashSet<byte[]>.AlternateLookup<ReadOnlySpan<byte>> Set(IEnumerable<string> hosts) =>
        hosts.Select(static host => Encoding.ASCII.GetBytes(host.ToLowerInvariant())).ToHashSet(HostName.Comparer.Instance).GetAlternateLookup<ReadOnlySpan<byte>>();
}
