namespace Ashlar.Edge.Logging;

/// <summary>What kept a request from its proper answer.</summary>
public enum Failure
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The request was malformed or too large.</summary>
    BadRequest,

    /// <summary>The client left before the answer was complete.</summary>
    ClientGone,

    /// <summary>The client was too slow to send or to receive.</summary>
    ClientTimeout,

    /// <summary>No route matched.</summary>
    NoRoute,

    /// <summary>The service is in maintenance.</summary>
    Maintenance,

    /// <summary>The service has no instance that serves or is to come.</summary>
    NoInstance,

    /// <summary>The waiting room was full.</summary>
    QueueFull,

    /// <summary>It waited for an instance as long as it may.</summary>
    QueueTimeout,

    /// <summary>No connection to an instance came about.</summary>
    ConnectFailed,

    /// <summary>The instance did not answer in time.</summary>
    UpstreamTimeout,

    /// <summary>The instance's answer was malformed, or its connection broke before the head of the answer.</summary>
    BadAnswer,

    /// <summary>The answer broke off after its head was sent.</summary>
    Truncated,

    /// <summary>A rule refused the address, or the name and password.</summary>
    Denied,

    /// <summary>The client came more often than a rule allows.</summary>
    RateLimited,
}

/// <summary>Names of failures in logs and metrics.</summary>
public static class FailureNames
{
    private static readonly string[] _names = [.. Enum.GetNames<Failure>().Select(Kebab)];

    /// <summary><c>queue-timeout</c> for <see cref="Failure.QueueTimeout"/>.</summary>
    public static string Of(Failure failure) => _names[(int)failure];

    private static string Kebab(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) && i > 0 ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
