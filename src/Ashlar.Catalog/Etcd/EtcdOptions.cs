using System.Collections.Immutable;
using Ashlar.Catalog.Store;

namespace Ashlar.Catalog.Etcd;

/// <summary>Where an etcd cluster is, and how long it is waited for.</summary>
public sealed record EtcdOptions
{
    /// <summary>Client addresses of the members, <c>http://</c> or <c>https://</c>, in any order; at least one. Each can answer everything.</summary>
    public required ImmutableArray<Uri> Endpoints { get; init; }

    /// <summary>What every key of this stack begins with: empty, or printable ASCII that ends with <c>/</c>, 128 characters at most.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Who is trusted at <c>https</c> endpoints, and who we are.</summary>
    public EtcdTls? Tls { get; init; }

    /// <summary>The cluster that is meant; one that answers with another number is refused. Null: any. A restored cluster has a new number.</summary>
    public ulong? ClusterId { get; init; }

    /// <summary>How long one member may take to answer before the next one is asked.</summary>
    public TimeSpan AttemptLimit { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>How long a question may take with all its attempts. Above <see cref="AttemptLimit"/>.</summary>
    public TimeSpan TotalLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After this long without a word from etcd a watch is begun anew at another member, where it stood: a silent watch cannot be told from one
    /// that is dead.
    /// </summary>
    public TimeSpan WatchSilence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Clock of the limits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Checks what a program has put together.</summary>
    /// <exception cref="ArgumentException">An address that is none, a prefix that cannot be, or limits that contradict each other.</exception>
    internal static void Check(EtcdOptions options)
    {
        if (options.Endpoints.IsDefaultOrEmpty)
        {
            throw new ArgumentException("No endpoint.", nameof(options));
        }

        foreach (var endpoint in options.Endpoints)
        {
            if (!endpoint.IsAbsoluteUri || endpoint.Scheme is not ("http" or "https") || endpoint.PathAndQuery != "/" || endpoint.UserInfo.Length > 0)
            {
                throw new ArgumentException($"{endpoint} is not the address of an etcd member.", nameof(options));
            }
        }

        const int longestPrefix = 128;
        StoreLimits.CheckPrefix(options.Prefix);
        if (options.Prefix.Length > longestPrefix || (options.Prefix.Length > 0 && options.Prefix[^1] != '/'))
        {
            throw new ArgumentException($"The prefix {options.Prefix} is too long or does not end with a slash.", nameof(options));
        }

        if (options.AttemptLimit <= TimeSpan.Zero || options.TotalLimit < options.AttemptLimit || options.WatchSilence <= TimeSpan.Zero)
        {
            throw new ArgumentException("The limits of time contradict each other.", nameof(options));
        }
    }
}
