using System.Collections.Immutable;
using Ashlar.Errors;

namespace Ashlar.Agent.Api;

/// <summary>The certificates of the stack's sites; none: the edge speaks no TLS.</summary>
public sealed record CertificatesResult(ImmutableArray<CertificateLine> Certificates)
{
    /// <summary>Certificate of the stack's own authority as PEM, no secret; empty: there is none yet.</summary>
    public string Authority { get; init => field = value ?? ""; } = "";
}

/// <summary>A certificate for people.</summary>
/// <param name="Name">Host that it is for.</param>
/// <param name="Issuer"><c>local</c>, or the host of the ACME directory; empty: there is none yet.</param>
/// <param name="Until">End of its life; null: there is none yet.</param>
/// <param name="State">One of <see cref="CertificateStates"/>.</param>
public sealed record CertificateLine(string Name, string Issuer, DateTimeOffset? Until, string State)
{
    /// <summary>All names that it is for.</summary>
    public ImmutableArray<string> Names { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>What went wrong the last time; null: nothing.</summary>
    public AshlarError? Trouble { get; init; }

    /// <summary>When it is tried again.</summary>
    public DateTimeOffset? NextTry { get; init; }
}

/// <summary>States of a certificate.</summary>
public static class CertificateStates
{
    /// <summary>It serves.</summary>
    public const string Good = "good";

    /// <summary>It serves, and could not be renewed yet.</summary>
    public const string Due = "renewal fails";

    /// <summary>Ordered; a local one serves meanwhile.</summary>
    public const string Ordered = "ordered";

    /// <summary>Not issued; a local one serves meanwhile, and it is tried again.</summary>
    public const string Waiting = "not issued";

    /// <summary>Its life is over.</summary>
    public const string Expired = "expired";

    /// <summary>There is none yet.</summary>
    public const string Missing = "none yet";
}
