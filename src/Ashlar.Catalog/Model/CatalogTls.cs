using System.Collections.Immutable;

namespace Ashlar.Catalog;

/// <summary>What the edge needs for TLS. Private keys are not in it: they lie in files that the edge's user alone may read.</summary>
public sealed record CatalogTls
{
    /// <summary>Certificates; the first is shown where a client asks for no name.</summary>
    public ImmutableArray<CatalogCertificate> Certificates { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Hosts whose plain HTTP is redirected to HTTPS, lower-case.</summary>
    public ImmutableArray<string> Redirected { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>The domain that requests for the other domains are redirected to; null: none.</summary>
    public string? Canonical { get; init; }

    /// <summary>Seconds for which browsers shall use HTTPS alone (RFC 6797); 0: nothing is said.</summary>
    public long HstsSeconds { get; init; }

    /// <summary>Answers that an ACME authority looks for (RFC 8555 section 8.3).</summary>
    public ImmutableArray<CatalogChallenge> Challenges { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>A certificate.</summary>
/// <param name="File">Name of its PEM file (key, certificate, chain) in the folder <c>run/certificates</c> of the state; another content has another name.</param>
/// <param name="Names">DNS names that it is for.</param>
public sealed record CatalogCertificate(string File, ImmutableArray<string> Names);

/// <summary>An answer that an ACME authority looks for under <c>/.well-known/acme-challenge/</c>.</summary>
/// <param name="Token">Last segment of the path.</param>
/// <param name="Answer">The body: token, dot, thumbprint of the account's key.</param>
public sealed record CatalogChallenge(string Token, string Answer);
