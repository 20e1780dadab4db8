using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Ashlar.Agent.Machines;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Fleet.Placement;

namespace Ashlar.Agent.Tests.Simulation;

/// <summary>
/// A fleet in virtual time, a second a step. What decides is the product's own; what it runs on (store, network, processes) is simulated.
/// After every step the invariants are checked.
/// </summary>
internal sealed class SimulatedFleet
{
    private const int LongestRest = 600;
    private static readonly DateTimeOffset s_epoch = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly Dictionary<string, SimulatedMachine> _machines = new(StringComparer.Ordinal);
    private readonly List<Orders> _orders = [new Orders(0, ImmutableSortedDictionary<string, ServiceOrder>.Empty, 1)];
    private readonly Random _random;
    private readonly Invariants _invariants;
    private PlacementRecord? _remembered;

    public SimulatedFleet(int seed)
    {
        _random = new Random(seed);
        _invariants = new Invariants(this);
        Store.Put(0, Keys.Orders, Ordered.Write());
    }

    public SimulatedStore Store { get; } = new();

    public long Second { get; private set; } = 1000;

    public IReadOnlyDictionary<string, SimulatedMachine> Machines => _machines;

    public Orders Ordered => _orders[^1];

    /// <summary>The placement as it is written.</summary>
    public PlacementRecord Placement { get; private set; } = new();

    /// <summary>The machines as they are written.</summary>
    public IEnumerable<MachineRecord> Records => Store.Entries.Where(e => e.Key.StartsWith(Keys.Nodes, StringComparison.Ordinal))
        .Select(e => JsonSerializer.Deserialize(e.Value.Span, MachineJson.Default.MachineRecord)!);

    /// <summary>Lets something happen. What a machine is asked that is not there has no effect, so that histories can be shortened.</summary>
    public void Play(Happening happening)
    {
        var words = happening.Words;
        var machine = words.Length > 0 ? _machines.GetValueOrDefault(words[0]) : null;
        switch (happening.Verb)
        {
            case "join" when machine is null:
                _machines[words[0]] = new SimulatedMachine(words[0], Store, number => _orders[number], new Random(_random.Next()));
                _machines[words[0]].ListAgain();
                Write(new MachineRecord { Name = words[0], Address = "10.0.0.1", PeerPort = 1, HopPort = 2, Memory = Gibibytes(words[1]), Cores = 64 });
                break;
            case "cut" when machine is not null:
                machine.IsConnected = false;
                break;
            case "kill" when machine is not null:
                machine.Kill();
                break;
            case "freeze" when machine is not null:
                machine.IsFrozen = true;
                break;
            case "heal" when machine is not null:
                Heal(machine);
                break;
            case "lag" when machine is not null:
                machine.Lag = Number(words[1]);
                break;
            case "relist" when machine is not null:
                machine.ListAgain();
                break;
            case "restart" when machine is not null:
                machine.RestartAgent();
                break;
            case "cordon" or "drain" or "uncordon" when Records.FirstOrDefault(r => r.Name == words[0]) is { } record:
                Write(record with { Admission = happening.Verb switch { "cordon" => Admission.Closed, "drain" => Admission.Leaving, _ => Admission.Open } });
                break;
            case "remove" when machine is not null && !Placement.Homes.ContainsValue(words[0]) && !machine.Observed.Any(o => o.Alive && o.Tier != Tiers.Edge):
                machine.Kill();
                _machines.Remove(words[0]);
                Store.Delete(Second, Keys.Node(words[0]));
                break;
            case "rebalance" when _machines.Values.FirstOrDefault(m => m.Leads && m.Spread(Stamp) is not null) is { } leader && leader.Spread(Stamp) is { } spread && leader.Write(Second, spread):
                Placement = spread;
                break;
            case "want":
                var order = new ServiceOrder(Number(words[1]), Gibibytes(words[2]), words.Contains("data"), words.Contains("dedicated"));
                Order(order.Count == 0 ? Ordered.Services.Remove(words[0]) : Ordered.Services.SetItem(words[0], order), Ordered.Release);
                break;
            case "release":
                Order(Ordered.Services, Ordered.Release + 1);
                break;
            case "crash":
                foreach (var host in _machines.Values)
                {
                    host.Crash(words[0], Now.AddSeconds(_random.Next(1, 10)));
                }

                break;
            case "wait":
                for (var left = Number(words[0]); left > 0; left--)
                {
                    Step();
                }

                break;
            case "rest":
                Rest();
                break;
            case "serve":
                _invariants.Served.Add(words[0]);
                break;
            case "remember":
                _remembered = Placement;
                break;
            case "expect":
                Expect(words);
                break;
        }
    }

    /// <summary>Heals everything and waits until nothing is to be done any more; then all must be as it was ordered.</summary>
    public void Rest()
    {
        foreach (var machine in _machines.Values)
        {
            Heal(machine);
            machine.Lag = 0;
        }

        // What ended in the last step is seen in the next; a minute and more of calm says that nothing is left to come.
        for (var (left, calm) = (LongestRest, 0); calm < 5 && left > 0; left--)
        {
            Step();
            calm = _machines.Values.All(m => m.IsInformed && m.IsSettled) ? calm + 1 : 0;
        }

        _invariants.CheckRest();
    }

    private DateTimeOffset Now => s_epoch.AddSeconds(Second);

    private long Stamp => Second * Stopwatch.Frequency;

    private void Step()
    {
        Second++;
        Store.EndLeases(Second);
        foreach (var machine in _machines.Values)
        {
            Note(machine);
            machine.Tell(Second);
        }

        foreach (var machine in _machines.Values)
        {
            machine.Hear(Second, Stamp);
            if (machine.Place(Stamp) is { } next)
            {
                var (view, before) = (machine.View, Placement);
                if (machine.Write(Second, next))
                {
                    Placement = next;
                    _invariants.CheckPlacement(machine, view, before, next);
                }
            }

            machine.Run(Now);
        }

        _invariants.CheckStep();
    }

    private void Note(SimulatedMachine machine)
    {
        var absent = machine.Absences.Count > 0 && machine.Absences[^1].To is null;
        if (machine.Reaches == absent)
        {
            if (absent)
            {
                machine.Absences[^1] = (machine.Absences[^1].From, Second);
            }
            else
            {
                machine.Absences.Add((Second, null));
            }
        }
    }

    private void Heal(SimulatedMachine machine)
    {
        var wasCut = !machine.IsConnected;
        (machine.IsConnected, machine.IsFrozen) = (true, false);
        machine.PowerOn();
        if (wasCut && _random.Next(2) == 0)
        {
            machine.ListAgain();
        }
    }

    private void Order(ImmutableSortedDictionary<string, ServiceOrder> services, int release)
    {
        _orders.Add(new Orders(_orders.Count, services, release));
        Store.Put(Second, Keys.Orders, Ordered.Write());
    }

    private void Write(MachineRecord record) => Store.Put(Second, Keys.Node(record.Name), JsonSerializer.SerializeToUtf8Bytes(record, MachineJson.Default.MachineRecord));

    private void Expect(string[] words)
    {
        var (what, said) = (words[0], string.Join(' ', words[2..]));
        var where = Placement.Machines.GetValueOrDefault(what, "nowhere");
        var isSo = words[1] switch
        {
            "on" => where == said,
            "off" => where != said,
            "runs" => _machines.Values.Count(m => m.Observed.Any(o => o.Name == what && o.State == InstanceState.Healthy)) == Number(said),
            "pending" => Placement.Pending.GetValueOrDefault(what) == said,
            "lost" => string.Join(',', Placement.Lost) == what,
            "unmoved" => _remembered!.Machines.All(m => Placement.Machines.GetValueOrDefault(m.Key) == m.Value),
            _ => throw new InvalidOperationException($"'{words[1]}' is no expectation"),
        };
        Assert.True(isSo, $"second {Second}: expected {string.Join(' ', words)}; {Show(Placement)}");
    }

    public static string Show(PlacementRecord placement) =>
        $"it is {string.Join(", ", placement.Machines.Select(m => $"{m.Key} on {m.Value}"))}; {string.Join(", ", placement.Pending.Select(p => $"{p.Key} pending: {p.Value}"))}; lost: {string.Join(',', placement.Lost)}";

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    private static long Gibibytes(string word) => long.Parse(word, CultureInfo.InvariantCulture) << 30;
}
