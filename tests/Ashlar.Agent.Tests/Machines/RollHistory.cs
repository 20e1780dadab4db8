using System.Collections.Immutable;
using Ashlar.Agent.Desired;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Machines.Rolling;
using Ashlar.Errors;

namespace Ashlar.Agent.Tests.Machines;

/// <summary>
/// An order over machines that hear late, fall silent, come back and fail, under leaders that change and write twice: looked at after each step.
/// The store takes a step only at the revision at which it was found, as the real one does.
/// </summary>
internal sealed class RollHistory(Random random)
{
    private static readonly AshlarError Broken = new("ASH2001", "services", "web.1 ended.", "Look at its log.");
    private static readonly DesiredState V1 = new() { Release = "v1" };
    private static readonly DesiredState V2 = new() { Release = "v2" };
    private readonly string[] _machines = [.. Enumerable.Range(1, random.Next(1, 7)).Select(i => $"m{i}")];
    private readonly Dictionary<string, (long Pursues, string Release)> _pursued = [];
    private readonly HashSet<string> _silent = [];
    private readonly HashSet<string> _breaks = [];
    private (DesiredState Holds, RollBook Rolls) _orders;
    private long _revision = 10;

    /// <summary>Plays it to its end.</summary>
    public void Run()
    {
        _breaks.UnionWith(_machines.Where(_ => random.Next(8) == 0));
        _orders = (V1, new RollBook(new Roll
        {
            Id = "r",
            Verb = "up",
            Next = V2,
            Order = RollRules.Order(_machines, _machines[0]),
            AtOnce = random.Next(4) == 0,
            Raises = random.Next(4) == 0,
        }));
        foreach (var machine in _machines)
        {
            _pursued[machine] = (1, "v1");
        }

        var stale = View();
        for (var step = 0; _orders.Rolls.Present is not null; step++)
        {
            Assert.True(step < 5000, "It does not end.");
            switch (random.Next(6))
            {
                case 0 when step < 200:
                    _ = random.Next(2) == 0 ? _silent.Add(Any()) : _silent.Remove(Any());
                    break;
                case 0:
                    _silent.Clear(); // In the end all are heard of.
                    break;
                case 1:
                    Take(stale); // A former leader wakes.
                    break;
                case 2:
                    stale = View();
                    break;
                case 3:
                    Take(View());
                    break;
                default:
                    Hear(Any());
                    break;
            }
        }

        foreach (var machine in _machines)
        {
            Hear(machine);
            Assert.Equal(_orders.Holds.Release, _pursued[machine].Release);
        }

        var end = Assert.Single(_orders.Rolls.Ended);
        Assert.Equal(end.Error is null ? "v2" : "v1", _orders.Holds.Release);
    }

    private string Any() => _machines[random.Next(_machines.Length)];

    private void Hear(string machine) =>
        _pursued[machine] = (_revision, (_orders.Rolls.Present?.For(machine, _orders.Holds) ?? _orders.Holds).Release);

    private void Take(FleetView view)
    {
        if (RollRules.Advance(view, DateTimeOffset.UnixEpoch) is not { } next || view.OrdersRevision != _revision)
        {
            return;
        }

        if (_orders.Rolls.Present is { } before && next.Rolls.Present is { GoesBack: false } after)
        {
            var letOn = after.LetOn.Except(before.LetOn);
            Assert.True(after.AtOnce || letOn.Count == 1, "One at a time.");
            Assert.All(before.LetOn.Intersect(view.Reports.Keys), machine => Assert.Equal((_revision, "v2"), _pursued[machine]));
            Assert.DoesNotContain(before.LetOn.Intersect(view.Reports.Keys), _breaks.Contains);
        }

        if (next.Rolls.Present is null)
        {
            var to = next.Rolls.Ended[^1].Error is null ? "v2" : "v1";
            Assert.All(view.Reports.Keys, machine => Assert.Equal(to, _pursued[machine].Release));
        }

        _orders = next;
        _revision++;
    }

    private FleetView View() => new()
    {
        Orders = _orders.Holds,
        Rolls = _orders.Rolls,
        OrdersRevision = _revision,
        Records = _machines.ToImmutableSortedDictionary(name => name, name => new MachineRecord { Name = name, Address = "10.0.0.1", PeerPort = 1, HopPort = 2 }),
        Reports = _machines.Where(name => !_silent.Contains(name)).ToImmutableSortedDictionary(name => name, name => new MachineReport
        {
            Name = name,
            Pursues = _pursued[name].Pursues,
            CarriedOut = !Fails(name),
            Failure = Fails(name) ? Broken : null,
        }),
    };

    private bool Fails(string machine) => _pursued[machine].Release == "v2" && _breaks.Contains(machine);
}
