using System.Collections.Immutable;
using System.Security.Authentication;
using Ashlar.Errors;

namespace Ashlar.Catalog.Etcd;

/// <summary>How an attempt at one member failed.</summary>
internal enum FailureKind
{
    /// <summary>Nobody is there; nothing was sent.</summary>
    Unreachable,

    /// <summary>TLS: one does not accept the other; nothing was sent.</summary>
    Untrusted,

    /// <summary>etcd says that it cannot now, and has not done it.</summary>
    Declined,

    /// <summary>Asked, and not answered: it may have been done.</summary>
    NoAnswer,

    /// <summary>Something else than the stack's etcd answers.</summary>
    Foreign,
}

/// <summary>One attempt at one member that failed and may be made at another.</summary>
internal sealed class EtcdFailure(Uri endpoint, FailureKind kind, string reason, Exception? inner = null) : Exception(Clean(reason), inner)
{
    // It does not change its members, because it has not been connected to all of them for 5 s.
    private const string UnhealthyCluster = "etcdserver: unhealthy cluster";

    // Status codes of gRPC (doc/statuscodes.md).
    private const int DeadlineExceeded = 4;
    private const int ResourceExhausted = 8;
    private const int Unavailable = 14;
    private const int LongestReason = 300;

    public Uri Endpoint { get; } = endpoint;

    public FailureKind Kind { get; } = kind;

    /// <summary>True: a write may have been made all the same.</summary>
    public bool MayHaveHappened => Kind is FailureKind.NoAnswer or FailureKind.Foreign;

    /// <summary>True: it will not pass by waiting.</summary>
    public bool IsLasting => Kind is FailureKind.Untrusted or FailureKind.Foreign;

    /// <summary>What an exception of the connection means.</summary>
    public static EtcdFailure Of(Uri endpoint, Exception e)
    {
        var innermost = e;
        while (innermost.InnerException is { } inner)
        {
            innermost = inner;
        }

        // In TLS 1.3 the server judges our certificate after the handshake has ended for us: its alert comes in place of the answer.
        if (e is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } || IsTls(e))
        {
            return new EtcdFailure(endpoint, FailureKind.Untrusted, innermost.Message.TrimEnd('.'), e);
        }

        return e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError }
            ? new EtcdFailure(endpoint, FailureKind.Unreachable, innermost.Message.TrimEnd('.'), e)
            : new EtcdFailure(endpoint, FailureKind.NoAnswer, $"the connection ended without an answer ({innermost.Message.TrimEnd('.')})", e);
    }

    /// <summary>What etcd's own error means: a failure of this member at this time, or a refusal.</summary>
    public static Exception Of(Uri endpoint, int code, string message) => code switch
    {
        Unavailable when message is "etcdserver: no leader" or "etcdserver: rpc not supported for learner" or UnhealthyCluster
            => new EtcdFailure(endpoint, FailureKind.Declined, message),
        ResourceExhausted when message == "etcdserver: too many requests" => new EtcdFailure(endpoint, FailureKind.Declined, message),
        Unavailable or DeadlineExceeded => new EtcdFailure(endpoint, FailureKind.NoAnswer, message),
        _ => new EtcdRefusalException(code, Clean(message)),
    };

    /// <summary>The error that a person is shown when every member failed.</summary>
    /// <param name="failures">The last of each member that was asked.</param>
    public static AshlarException Explain(ImmutableArray<EtcdFailure> failures)
    {
        var each = string.Join("; ", failures.Select(failure => $"{failure.Endpoint.Authority}: {failure.Message}"));
        var inner = failures.FirstOrDefault();
        return failures switch
        {
            _ when failures.Any(failure => failure.Kind is FailureKind.Declined or FailureKind.NoAnswer) => CatalogErrors.NoQuorum(each, inner),
            _ when failures.Any(failure => failure.Kind is FailureKind.Untrusted) => CatalogErrors.EtcdUntrusted(each, inner),
            _ when failures.Any(failure => failure.Kind is FailureKind.Foreign) => CatalogErrors.NotEtcd(each, inner),
            _ => CatalogErrors.EtcdUnreachable(each, inner),
        };
    }

    private static bool IsTls(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is AuthenticationException || cause.Message.Contains("SSL routines", StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    // It comes from the network and is shown on a terminal.
    private static string Clean(string text)
    {
        var shown = text.Length > LongestReason ? $"{text.AsSpan(0, LongestReason)}…" : text;
        return string.Concat(shown.Select(c => char.IsControl(c) ? ' ' : c));
    }
}
