using System.Globalization;
using Ashlar.Stack;

namespace Ashlar.Fleet.Placement;

/// <summary>Says why an instance has no machine, in a sentence for people.</summary>
internal static class WhyNot
{
    public static string Explain(PlacementDemand demand, MachineLoad[] loads)
    {
        if (loads.Length == 0)
        {
            return "there is no machine";
        }

        if (demand.PinnedTo is { } pin)
        {
            return !Array.Exists(loads, load => load.Machine.Name == pin)
                ? $"its data is on machine {pin}, which is not one of the stack"
                : Array.Find(loads, load => load.Machine.Name == pin)!.Machine.Admission == Admission.Lost
                    ? $"its data is on machine {pin}, which is lost"
                    : $"its data is on machine {pin}, where {Wanting(demand)} is not free";
        }

        var labelled = Array.FindAll(loads, load => load.Machine.Matches(demand.On));
        if (labelled.Length == 0)
        {
            var near = NearestName.Of(demand.On!, loads.SelectMany(load => load.Machine.Labels.Add(load.Machine.Name)).Distinct(StringComparer.Ordinal));
            return $"no machine has the label {demand.On}" + (near is null ? "" : $" (did you mean {near}?)");
        }

        var open = Array.FindAll(labelled, load => load.Machine.Admission == Admission.Open);
        var which = demand.On is null ? "machine" : $"machine with the label {demand.On}";
        if (open.Length == 0)
        {
            return $"no {which} takes anything new: {string.Join(", ", labelled.Select(load => $"{load.Machine.Name} is {Word(load.Machine.Admission)}"))}";
        }

        var large = Array.FindAll(open, load => load.HoldsAlone(demand));
        if (large.Length == 0)
        {
            return $"no {which} is large enough: it asks for {Wanting(demand)}";
        }

        return demand.Dedicated
            ? $"no {which} can be its service's own: all have others that must stay"
            : large.All(load => load.IsOthers(demand.Service))
                ? $"every {which} belongs to a service of its own"
                : $"no {which} has {Wanting(demand)} free";
    }

    private static string Word(Admission admission) => admission switch
    {
        Admission.Lost => "lost",
        Admission.Leaving => "drained",
        _ => "closed",
    };

    private static string Wanting(PlacementDemand demand) => (demand.Memory, demand.Cpu) switch
    {
        (0, 0) => "room",
        (_, 0) => Memory(demand.Memory),
        (0, _) => Cores(demand.Cpu),
        _ => $"{Memory(demand.Memory)} and {Cores(demand.Cpu)}",
    };

    private static string Memory(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB of memory");

    private static string Cores(double cores) => string.Create(CultureInfo.InvariantCulture, $"{cores:0.##} cores");
}
