using System.Collections.Immutable;

namespace Ashlar.Catalog;

/// <summary>What the stack's DNS answers from.</summary>
public sealed record CatalogDns
{
    /// <summary>Name of the tier, and of its service.</summary>
    public const string Tier = "dns";

    /// <summary>The zones.</summary>
    public ImmutableArray<CatalogZone> Zones { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Where the edges and name servers are.</summary>
    public ImmutableArray<CatalogFront> Fronts { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Resolvers that other names are asked of; none: those of the system.</summary>
    public ImmutableArray<string> Resolvers { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>True: nothing is asked of others.</summary>
    public bool ResolvesNothing { get; init; }

    /// <summary>Answers a second over UDP to one network of clients, of the same answer; 0: any number.</summary>
    public int Rate { get; init; }

    /// <summary>When the records were last changed, in Unix seconds: the least serial of zones that do not state one.</summary>
    public long Changed { get; init; }
}

/// <summary>A zone of the stack.</summary>
/// <param name="Name">Lower case, without a dot at its end.</param>
/// <param name="File">Absolute path of its master file in the release; null: none.</param>
/// <param name="TimeToLive">Seconds, for records without a time of their own.</param>
public sealed record CatalogZone(string Name, string? File, int TimeToLive)
{
    /// <summary>Records of the stack file, lines of a master file.</summary>
    public ImmutableArray<string> Records { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <summary>Records that people have added by a verb.</summary>
    public ImmutableArray<string> Added { get; init => field = value.IsDefault ? [] : value; } = [];
}

/// <summary>A machine as clients from outside reach it.</summary>
/// <param name="Machine">Its name; empty: the stack has one machine.</param>
/// <param name="Edge">Addresses of its edge, IP literals; <c>0.0.0.0</c> or <c>::</c>: all that the machine has.</param>
/// <param name="Server">Addresses of its name server, likewise.</param>
/// <param name="Healthy">True: its edge serves and the machine is reached.</param>
public sealed record CatalogFront(string Machine, ImmutableArray<string> Edge, ImmutableArray<string> Server, bool Healthy)
{
    /// <inheritdoc cref="CatalogFront(string, ImmutableArray{string}, ImmutableArray{string}, bool)" path="/param[@name='Edge']"/>
    public ImmutableArray<string> Edge { get; init => field = value.IsDefault ? [] : value; } = Edge;

    /// <inheritdoc cref="CatalogFront(string, ImmutableArray{string}, ImmutableArray{string}, bool)" path="/param[@name='Server']"/>
    public ImmutableArray<string> Server { get; init => field = value.IsDefault ? [] : value; } = Server;
}
