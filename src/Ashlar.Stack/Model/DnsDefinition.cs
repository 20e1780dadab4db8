using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>The stack's own DNS: zones that it answers for, and a resolver for its own machines.</summary>
public sealed record DnsDefinition
{
    /// <summary>Where it listens without a word about it, over UDP and TCP.</summary>
    public static ListenAddress DefaultListen { get; } = new("127.0.0.1", 5300);

    /// <summary>Answers a second to one network without a word about it.</summary>
    public const int DefaultRate = 200;

    /// <summary>Where it listens, over UDP and TCP. Default 127.0.0.1:5300.</summary>
    public ListenAddress Listen { get; init => field = value ?? DefaultListen; } = DefaultListen;

    /// <summary>The zones in the order of the file.</summary>
    public ImmutableArray<DnsZoneDefinition> Zones { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>
    /// Addresses at which the edges are reached, by machine, where these are others than their own; those of the empty name are everyone's.
    /// IP literals.
    /// </summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Addresses { get; init => field = value ?? ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty; } =
        ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>Resolvers that other names are asked of, <c>address</c> or <c>address:port</c>; none: those of the system.</summary>
    public ImmutableArray<string> Resolvers { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>True: nothing is asked of others; only what it has is answered.</summary>
    public bool ResolvesNothing { get; init; }

    /// <summary>Answers a second over UDP to one network of clients, of the same answer; 0: any number. Default 200.</summary>
    public int Rate { get; init; } = DefaultRate;
}

/// <summary>A zone.</summary>
public sealed record DnsZoneDefinition
{
    /// <summary>Its name, lower case, without a dot at its end.</summary>
    public required string Name { get; init; }

    /// <summary>Its master file, relative to the stack's folder; null: none.</summary>
    public string? File { get; init; }

    /// <summary>Records as lines of a master file: <c>mail A 192.0.2.7</c>. Names without a dot at their end stand under the zone.</summary>
    public ImmutableArray<string> Records { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Seconds that records without a time of their own may be kept; null: 300.</summary>
    public int? TimeToLive { get; init; }
}
