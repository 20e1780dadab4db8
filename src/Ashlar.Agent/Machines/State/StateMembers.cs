using System.Collections.Immutable;
using Ashlar.Engines.Etcd;
using Ashlar.Fleet.Liveness;
using Ashlar.Fleet.Placement;

namespace Ashlar.Agent.Machines;

/// <summary>Decides which machines hold the state, and what is to be done next for it. Pure.</summary>
internal static class StateMembers
{
    private const int Many = 3;

    /// <summary>
    /// The machines that are to have a member: three where there are three for it, else one, because two lose the majority with either of
    /// them. Who is a member stays; whose machine is lost, drained or gone is replaced where another machine can take it.
    /// </summary>
    /// <param name="machines">The machines of the stack.</param>
    /// <param name="voters">Machines whose member has a vote.</param>
    /// <param name="learners">Machines whose member is catching up.</param>
    /// <param name="frozen">True: the watcher may be blind, and nothing may be moved.</param>
    public static ImmutableSortedSet<string> Desired(IReadOnlyCollection<StateMachine> machines, ImmutableSortedSet<string> voters, ImmutableSortedSet<string> learners, bool frozen)
    {
        if (frozen || machines.Count(machine => voters.Contains(machine.Name) && machine.IsAlive) * 2 <= voters.Count)
        {
            return voters.Union(learners);
        }

        var inOrder = machines.OrderBy(machine => machine.Joined).ThenBy(machine => machine.Name, StringComparer.Ordinal).ToArray();
        bool Stays(StateMachine machine) => machine.Health != MachineHealth.Lost && machine.Admission != Admission.Leaving;
        var staying = inOrder.Where(machine => (voters.Contains(machine.Name) || learners.Contains(machine.Name)) && Stays(machine)).OrderBy(machine => learners.Contains(machine.Name));
        var able = inOrder.Where(machine => !voters.Contains(machine.Name) && !learners.Contains(machine.Name) && machine is { IsAlive: true, Admission: Admission.Open });
        var wavering = inOrder.Where(machine => voters.Contains(machine.Name) && !Stays(machine)).OrderBy(machine => machine.Health);
        string[] usable = [.. staying.Concat(able).Concat(wavering).Select(machine => machine.Name)];
        return [.. usable.Take(usable.Length >= Many ? Many : 1)];
    }

    /// <summary>
    /// The next step; every step can be repeated, and any leader can go on where another stopped. A lost member goes first, because etcd takes
    /// no new one while it misses one; one that lives goes last, when the others have their votes.
    /// </summary>
    /// <param name="machines">The machines of the stack.</param>
    /// <param name="members">The members, as etcd says.</param>
    /// <param name="record">What the machines have been told.</param>
    /// <param name="frozen">True: nothing may be moved.</param>
    public static StateStep Next(IReadOnlyCollection<StateMachine> machines, ImmutableArray<EtcdMemberInfo> members, StateRecord record, bool frozen)
    {
        var told = Tell(members, record);
        if (told != record)
        {
            return new StateStep.Tell(told);
        }

        // One that nobody has been told of: it was added by a leader that ended then, or its machine has joined anew since.
        var known = members.Where(member => record.Members.Values.Any(entry => member.Has(entry.Peer))).ToArray();
        if (members.Except(known).FirstOrDefault(member => member.IsLearner || member.Name.Length > 0) is { } unknown && Spares(machines, members, record, unknown))
        {
            return new StateStep.Remove(unknown.Id, unknown.Name);
        }

        string MachineOf(EtcdMemberInfo member) => record.Members.First(entry => member.Has(entry.Value.Peer)).Key;
        var voters = known.Where(member => !member.IsLearner).Select(MachineOf).ToImmutableSortedSet(StringComparer.Ordinal);
        var learners = known.Where(member => member.IsLearner).Select(MachineOf).ToImmutableSortedSet(StringComparer.Ordinal);
        var desired = Desired(machines, voters, learners, frozen);
        bool IsAlive(string name) => machines.Any(machine => machine.Name == name && machine.IsAlive);
        var leaving = known.Where(member => !desired.Contains(MachineOf(member)) && Spares(machines, members, record, member)).ToArray();
        if (leaving.FirstOrDefault(member => member.IsLearner || !IsAlive(MachineOf(member))) is { } first)
        {
            return new StateStep.Remove(first.Id, MachineOf(first));
        }

        if (learners.FirstOrDefault(desired.Contains) is { } learner)
        {
            return new StateStep.Promote(learner);
        }

        if (machines.OrderBy(machine => machine.Joined).FirstOrDefault(machine => desired.Contains(machine.Name) && !voters.Contains(machine.Name)) is { } added)
        {
            return new StateStep.Add(added.Name);
        }

        return leaving.FirstOrDefault() is { } last ? new StateStep.Remove(last.Id, MachineOf(last)) : new StateStep.None();
    }

    /// <summary>What the machines are to be told: nothing of members that etcd does not know, and who has a vote.</summary>
    private static StateRecord Tell(ImmutableArray<EtcdMemberInfo> members, StateRecord record)
    {
        var told = record.Members;
        foreach (var (machine, entry) in record.Members)
        {
            told = members.FirstOrDefault(member => member.Has(entry.Peer)) is not { } member ? told.Remove(machine) : told.SetItem(machine, entry with
            {
                Votes = !member.IsLearner,
                // Its first start is refused with any other members than those of that moment.
                Cluster = member.Name.Length > 0 ? entry.Cluster : Cluster(members, machine, entry.Peer),
            });
        }

        return told.SequenceEqual(record.Members) ? record : record with { Members = told };
    }

    /// <summary>The members that a new one begins with.</summary>
    public static ImmutableArray<EtcdPeer> Cluster(ImmutableArray<EtcdMemberInfo> members, string machine, Uri peer) =>
        [.. members.Select(member => new EtcdPeer(member.Has(peer) ? machine : member.Name, member.PeerAddresses[0]))];

    /// <summary>True: without it a majority of those that stay is alive.</summary>
    private static bool Spares(IReadOnlyCollection<StateMachine> machines, ImmutableArray<EtcdMemberInfo> members, StateRecord record, EtcdMemberInfo member)
    {
        var rest = members.Where(other => other.Id != member.Id && !other.IsLearner).ToArray();
        var alive = rest.Count(other => machines.Any(machine => machine.IsAlive && record.Members.GetValueOrDefault(machine.Name) is { } entry && other.Has(entry.Peer)));
        return member.IsLearner || alive * 2 > rest.Length;
    }
}

/// <summary>A machine as a place for a member.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Joined">When it joined.</param>
/// <param name="Admission">What it takes.</param>
/// <param name="Health">Whether it is there.</param>
internal sealed record StateMachine(string Name, DateTimeOffset Joined, Admission Admission, MachineHealth Health)
{
    /// <summary>True: it has been heard of lately.</summary>
    public bool IsAlive => Health == MachineHealth.Alive;
}

/// <summary>A step towards the members that are to be.</summary>
internal abstract record StateStep
{
    /// <summary>All is as it is to be.</summary>
    public sealed record None : StateStep;

    /// <summary>The machines are told something else.</summary>
    public sealed record Tell(StateRecord Record) : StateStep;

    /// <summary>A machine gets a member, without a vote at first.</summary>
    public sealed record Add(string Machine) : StateStep;

    /// <summary>A member gets its vote, if it has caught up.</summary>
    public sealed record Promote(string Machine) : StateStep;

    /// <summary>A member goes.</summary>
    public sealed record Remove(ulong Id, string Machine) : StateStep;
}
