namespace Ashlar.Fleet.Placement;

/// <summary>A machine while it is being filled.</summary>
internal sealed class MachineLoad(PlacementMachine machine)
{
    // Cores are asked for in hundredths; sums of fractions must not reject the last one that fits.
    private const double Tolerance = 1e-6;
    private readonly List<PlacementDemand> _taken = [];
    private readonly Dictionary<string, int> _services = new(StringComparer.Ordinal);
    private string? _owner;
    private long _memory;
    private double _cpu;

    public PlacementMachine Machine => machine;

    public IReadOnlyList<PlacementDemand> Taken => _taken;

    /// <summary>True: it may go there, as far as rules go.</summary>
    public bool Admits(PlacementDemand demand) => demand.PinnedTo is { } pin
        ? pin == machine.Name && machine.Admission != Admission.Lost
        : machine.Matches(demand.On) && machine.Admission == Admission.Open;

    /// <summary>True: one that is there may stay, as far as rules go.</summary>
    public bool Keeps(PlacementDemand demand) =>
        Admits(demand) || (demand.PinnedTo is null && machine.Matches(demand.On) && machine.Admission == Admission.Closed);

    /// <summary>True: there is room beside those it has, and they bear each other.</summary>
    public bool Holds(PlacementDemand demand) =>
        demand.Memory <= machine.Memory - _memory && demand.Cpu <= machine.Cpu - _cpu + Tolerance
        && (demand.Dedicated ? _taken.Count == Of(demand.Service) : _owner is null || _owner == demand.Service);

    /// <summary>True: there would be room if it were empty.</summary>
    public bool HoldsAlone(PlacementDemand demand) => demand.Memory <= machine.Memory && demand.Cpu <= machine.Cpu + Tolerance;

    /// <summary>How many instances of a service it has.</summary>
    public int Of(string service) => _services.GetValueOrDefault(service);

    /// <summary>True: it belongs to another service.</summary>
    public bool IsOthers(string service) => _owner is not null && _owner != service;

    /// <summary>Share of its scarcer good that would be left; 1: nothing asks for anything.</summary>
    public double FreeAfter(PlacementDemand demand) => Math.Min(
        machine.Memory > 0 ? (machine.Memory - _memory - demand.Memory) / (double)machine.Memory : 0,
        double.IsPositiveInfinity(machine.Cpu) ? 1 : machine.Cpu > 0 ? (machine.Cpu - _cpu - demand.Cpu) / machine.Cpu : 0);

    public void Take(PlacementDemand demand)
    {
        _taken.Add(demand);
        _services[demand.Service] = Of(demand.Service) + 1;
        _owner ??= demand.Dedicated ? demand.Service : null;
        _memory += demand.Memory;
        _cpu += demand.Cpu;
    }

    /// <summary>Gives one up.</summary>
    public void Remove(PlacementDemand demand)
    {
        foreach (var other in Empty().Where(taken => taken.Name != demand.Name))
        {
            Take(other);
        }
    }

    /// <summary>Gives up all it has.</summary>
    public List<PlacementDemand> Empty()
    {
        var left = _taken.ToList();
        _taken.Clear();
        _services.Clear();
        _owner = null;
        (_memory, _cpu) = (0, 0);
        return left;
    }
}
