using System.Collections.Immutable;
using Ashlar.Agent.Machines;
using Ashlar.Engines.Etcd;
using Ashlar.Fleet.Liveness;
using Ashlar.Fleet.Placement;

namespace Ashlar.Agent.Tests.Machines;

/// <summary>Who holds the state. A machine is written as its name and what is to be known of it: <c>?</c> suspect, <c>!</c> lost, <c>c</c> cordoned, <c>d</c> drained.</summary>
public sealed class StateMembersTests
{
    [Theory]
    [InlineData("a", "a", "", "a")]
    [InlineData("a b", "a", "", "a")] // Two would be worse than one.
    [InlineData("a b c", "a", "", "a b c")]
    [InlineData("a b c d", "a", "", "a b c")]
    [InlineData("b c d a", "a", "", "a b c")] // Who is one stays, then who joined first.
    [InlineData("a b c d", "b c d", "", "b c d")]
    [InlineData("a b c", "a", "b", "a b c")]
    [InlineData("a b c", "a b", "c", "a b c")]
    [InlineData("a b! c", "a", "", "a")] // Not yet three that are there.
    [InlineData("a b? c d", "a", "", "a c d")]
    [InlineData("a bc c", "a", "", "a")] // A cordoned one takes nothing new,
    [InlineData("a bc c", "a b c", "", "a b c")] // and keeps what it has.
    [InlineData("a b c!", "a b", "", "a")] // The third never came: two are worse than one.
    [InlineData("a b c!", "a b", "c", "a")]
    [InlineData("a b c?", "a b c", "", "a b c")]
    [InlineData("a b c!", "a b c", "", "a b c")] // Lost, and nobody in its place: it may come back.
    [InlineData("a b c! d", "a b c", "", "a b d")]
    [InlineData("a! b c d e", "a b c", "", "b c d")]
    [InlineData("a b c! d?", "a b c", "", "a b c")]
    [InlineData("ad b c d", "a b c", "", "b c d")]
    [InlineData("ad b c", "a b c", "", "a b c")]
    [InlineData("ad b", "a", "", "b")] // The one member moves off a machine that is drained.
    [InlineData("a b", "a b c", "", "a")] // The machine of the third was removed.
    [InlineData("b c d", "a b c", "", "b c d")]
    [InlineData("a b! c!", "a b c", "", "a b c")] // No majority: nothing is touched.
    [InlineData("a b! c", "a b", "", "a b")]
    [InlineData("a! b c", "a", "", "a")]
    public void Members_are_on_one_machine_or_on_three(string machines, string voters, string learners, string desired) =>
        Assert.Equal(desired, string.Join(' ', StateMembers.Desired(Machines(machines), Set(voters), Set(learners), frozen: false)));

    [Fact]
    public void Where_the_watcher_may_be_blind_nothing_moves() =>
        Assert.Equal("a b c", string.Join(' ', StateMembers.Desired(Machines("a b c! d"), Set("a b"), Set("c"), frozen: true)));

    [Theory]
    [InlineData("a b", "a", "none")]
    [InlineData("a b c", "a", "add b")]
    [InlineData("a b c", "a b+", "promote b")]
    [InlineData("a b c", "a b", "add c")]
    [InlineData("a b c", "a b c", "none")]
    [InlineData("a b c! d", "a b c", "remove c")] // etcd takes no new member while it misses one.
    [InlineData("a b d c!", "a b", "add d")]
    [InlineData("ad b c d", "a b c", "add d")] // One that lives goes when the other has its vote.
    [InlineData("ad b c d", "a b c d+", "promote d")]
    [InlineData("ad b c d", "a b c d", "remove a")]
    [InlineData("a b c!", "a b c+", "remove c")]
    [InlineData("a b", "a b c", "remove c")]
    [InlineData("a b", "a b", "remove b")]
    [InlineData("a b! c!", "a b c", "none")]
    [InlineData("a b!", "a b", "none")]
    [InlineData("ad b", "a", "add b")]
    [InlineData("ad b", "a b", "remove a")]
    public void One_step_is_taken_after_the_other(string machines, string members, string step) =>
        Assert.Equal(step, Say(StateMembers.Next(Machines(machines), Members(members), Record(members), frozen: false)));

    [Fact]
    public void What_etcd_does_not_know_is_told_no_more()
    {
        // So after a restore, of which the others hear when they ask.
        var told = Assert.IsType<StateStep.Tell>(StateMembers.Next(Machines("a b c"), Members("b"), Record("a b c"), frozen: false));
        Assert.Equal(["b"], told.Record.Members.Keys);
        Assert.Equal(3, told.Record.Last);
    }

    [Fact]
    public void A_vote_is_told()
    {
        var told = Assert.IsType<StateStep.Tell>(StateMembers.Next(Machines("a b c"), Members("a b"), Record("a b+"), frozen: false));
        Assert.Equal(["https://10.0.0.2:7402/", "https://10.0.0.1:7402/"], told.Record.EndpointsFor("b").Select(uri => uri.ToString()));
    }

    [Fact]
    public void One_that_was_added_by_a_leader_that_ended_then_goes_first() =>
        Assert.Equal("remove ", Say(StateMembers.Next(Machines("a b c"), [.. Members("a"), Member("b", learner: true) with { Name = "" }], Record("a"), frozen: false)));

    [Fact]
    public void One_that_has_not_started_begins_with_the_members_of_now()
    {
        var waiting = Member("c", learner: true) with { Name = "" };
        var told = Assert.IsType<StateStep.Tell>(StateMembers.Next(Machines("a b c"), [.. Members("a b"), waiting], Record("a b c+"), frozen: false));
        Assert.Equal(["a", "b", "c"], told.Record.Members["c"].Cluster.Select(peer => peer.Name));
        Assert.Equal("promote c", Say(StateMembers.Next(Machines("a b c"), [.. Members("a b"), waiting], told.Record, frozen: false)));
    }

    [Fact]
    public void From_any_members_and_any_machines_the_steps_end_and_a_majority_is_never_given_away()
    {
        const int seed = 20261122;
        for (var round = 0; round < 3000; round++)
        {
            var random = new Random(seed + round);
            string Machine(string name) => name + random.Next(6) switch { 0 => "!", 1 => "?", 2 => "d", 3 => "c", _ => "" };
            var names = "abcdef".Take(random.Next(1, 7)).Select(name => name.ToString()).ToArray();
            var machines = Machines(string.Join(' ', names.Where(_ => random.Next(8) > 0).Select(Machine).OrderBy(_ => random.Next())));
            var present = Members(string.Join(' ', names.Where((_, i) => i == 0 || random.Next(2) == 0))).ToList();
            var record = Record(string.Join(' ', present.Select(member => member.Name)));
            var steps = 0;
            for (StateStep step = new StateStep.Tell(record); step is not StateStep.None; step = StateMembers.Next(machines, [.. present], record, frozen: false))
            {
                Assert.True(steps++ < 60, $"Seed {seed + round}: no end");
                var (voters, alive) = Majority();
                switch (step)
                {
                    case StateStep.Tell tell:
                        record = tell.Record;
                        break;
                    case StateStep.Add add:
                        Assert.DoesNotContain(present, member => member.IsLearner);
                        present.Add(Member(add.Machine, learner: true));
                        record = record.With(add.Machine, Entry(add.Machine, record.Last + 1, votes: false));
                        break;
                    case StateStep.Promote promote:
                        present = [.. present.Select(member => member.Name == promote.Machine ? member with { IsLearner = false } : member)];
                        break;
                    case StateStep.Remove remove:
                        Assert.True(alive * 2 > voters, $"Seed {seed + round}: {remove} without a majority");
                        present.RemoveAll(member => member.Id == remove.Id);
                        var (rest, left) = Majority();
                        Assert.True(left * 2 > rest, $"Seed {seed + round}: {remove} leaves {left} of {rest}");
                        break;
                }
            }

            (int Voters, int Alive) Majority()
            {
                var voting = present.Where(member => !member.IsLearner).ToArray();
                return (voting.Length, voting.Count(member => machines.Any(machine => machine.Name == member.Name && machine.IsAlive)));
            }
        }
    }

    private static string Say(StateStep step) => step switch
    {
        StateStep.None => "none",
        StateStep.Add add => $"add {add.Machine}",
        StateStep.Promote promote => $"promote {promote.Machine}",
        StateStep.Remove remove => $"remove {remove.Machine}",
        _ => step.ToString(),
    };

    private static ImmutableSortedSet<string> Set(string names) => [.. names.Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    private static StateMachine[] Machines(string text) =>
    [
        .. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((machine, i) => new StateMachine(
            machine[..1], DateTimeOffset.UnixEpoch.AddDays(i),
            machine.EndsWith('d') && machine.Length > 1 ? Admission.Leaving : machine.EndsWith('c') && machine.Length > 1 ? Admission.Closed : Admission.Open,
            machine.EndsWith('!') ? MachineHealth.Lost : machine.EndsWith('?') ? MachineHealth.Suspect : MachineHealth.Alive)),
    ];

    private static ImmutableArray<EtcdMemberInfo> Members(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(member => Member(member[..1], member.EndsWith('+')))];

    private static EtcdMemberInfo Member(string machine, bool learner) => new((ulong)machine[0], machine, [Peer(machine)], [], learner);

    private static StateRecord Record(string text)
    {
        var record = new StateRecord { Token = "t" };
        foreach (var member in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            record = record.With(member[..1], Entry(member[..1], record.Last + 1, !member.EndsWith('+')));
        }

        return record;
    }

    private static StateMember Entry(string machine, int index, bool votes) => new(index, new Uri($"https://10.0.0.{Number(machine)}:7402"), Peer(machine), votes);

    private static Uri Peer(string machine) => new($"https://10.0.0.{Number(machine)}:7403");

    private static int Number(string machine) => machine[0] - 'a' + 1;
}
