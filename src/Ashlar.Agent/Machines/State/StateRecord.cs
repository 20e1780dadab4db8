using System.Collections.Immutable;
using Ashlar.Engines.Etcd;

namespace Ashlar.Agent.Machines;

/// <summary>Which machines hold the shared state itself: a member of etcd each. Written by the leader, followed by every machine.</summary>
public sealed record StateRecord
{
    /// <summary>How often the state has been restored from a backup, and one. What a machine knows of a lower one is past.</summary>
    public int Epoch { get; init; } = 1;

    /// <summary>Tells clusters of one stack apart.</summary>
    public required string Token { get; init; }

    /// <summary>The number last given to a member; none is given twice, so that no member meets the data of another.</summary>
    public int Last { get; init; }

    /// <summary>The members, by machine.</summary>
    public ImmutableSortedDictionary<string, StateMember> Members { get; init => field = value ?? ImmutableSortedDictionary<string, StateMember>.Empty; } =
        ImmutableSortedDictionary<string, StateMember>.Empty;

    /// <summary>Where the state answers, as one machine asks it: its own member first.</summary>
    public ImmutableArray<Uri> EndpointsFor(string machine) =>
        [.. Members.Where(member => member.Value.Votes).OrderBy(member => member.Key != machine).Select(member => member.Value.Client)];

    /// <summary>The same with one member more, or another in its place.</summary>
    public StateRecord With(string machine, StateMember member) => this with { Last = Math.Max(Last, member.Index), Members = Members.SetItem(machine, member) };
}

/// <summary>A member of etcd on a machine.</summary>
/// <param name="Index">Its number: <c>etcd.2</c>.</param>
/// <param name="Client">Where agents reach it.</param>
/// <param name="Peer">Where members reach it.</param>
/// <param name="Votes">True: it counts for majorities. False: it is still catching up.</param>
public sealed record StateMember(int Index, Uri Client, Uri Peer, bool Votes)
{
    /// <summary>All members that its first start begins with, itself among them.</summary>
    public ImmutableArray<EtcdPeer> Cluster { get; init => field = value.IsDefault ? [] : value; } = [];

    /// <inheritdoc />
    public bool Equals(StateMember? other) => other is not null && Index == other.Index && Client == other.Client && Peer == other.Peer && Votes == other.Votes
        && Cluster.SequenceEqual(other.Cluster);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Index, Client, Peer, Votes);
}
