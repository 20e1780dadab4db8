using Ashlar.Errors;

namespace Ashlar.Edge.Certificates.Acme;

/// <summary>A certificate has not been issued.</summary>
/// <param name="error">Why, for people.</param>
/// <param name="retryAfter">What the authority asks to be waited before anything is tried again; null: it says nothing.</param>
/// <param name="type">Kind of the authority's problem (RFC 8555 section 6.7); empty: none of its.</param>
public sealed class AcmeException(AshlarError error, TimeSpan? retryAfter, string type = "") : Exception(error.Message)
{
    /// <summary>Why, for people.</summary>
    public AshlarError Error { get; } = error;

    /// <summary>What the authority asks to be waited before anything is tried again; null: it says nothing.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>Kind of the authority's problem; empty: none of its.</summary>
    public string Type { get; } = type;
}
