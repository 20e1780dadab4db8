using System.Collections.Immutable;
using System.Net;

namespace Ashlar.Stack;

/// <summary>Reads the machines of the stack file, and what is to run on which.</summary>
internal static class MachineReader
{
    /// <summary>The machines, by name.</summary>
    public static ImmutableSortedDictionary<string, MachineDefinition> Read(Section root, Report report)
    {
        var shape = (MapShape)((NamedShape)StackKeys.Root.Find("machines")!.Shape).Value;
        var machines = ImmutableSortedDictionary.CreateBuilder<string, MachineDefinition>(StringComparer.Ordinal);
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in root.Named("machines") ?? [])
        {
            if (!Names.IsLabel(name.Text) || !char.IsAsciiLetter(name.Text[0]))
            {
                report.Add(StackErrors.BadName(name.At, "the machine", name.Text, Names.Fit(name.Text, "machine")));
                continue;
            }

            var path = $"machines.{name.Text}";
            report.Places[path] = name.At;
            machines[name.Text] = value switch
            {
                MapNode map => Machine(new Section(map, shape, path, report), name.Text, owners, report),
                ScalarNode { IsNull: true } => new MachineDefinition(),
                _ => Refuse(value, path, report),
            };
        }

        return machines.ToImmutable();
    }

    /// <summary>What the key <c>machines</c> of something that runs says.</summary>
    public static PlacementDefinition Placement(Section s) => s.Map("machines") is not { } map ? PlacementDefinition.Anywhere : new PlacementDefinition
    {
        On = map.Text("on", Names.IsLabel, "a label: lower-case letters, digits and inner hyphens"),
        Dedicated = map.Boolean("dedicated") ?? false,
    };

    /// <summary>A label that no machine of the file has may still be given to one that joins: a warning.</summary>
    public static void WarnOfUnknownLabels(
        string file, ImmutableSortedDictionary<string, MachineDefinition> machines, IEnumerable<(string Path, PlacementDefinition Placement)> placed, Report report)
    {
        var known = machines.SelectMany(machine => machine.Value.Labels.Add(machine.Key)).ToHashSet(StringComparer.Ordinal);
        foreach (var (path, placement) in placed)
        {
            if (placement.On is { } label && !machines.IsEmpty && !known.Contains(label))
            {
                report.Add(StackErrors.UnknownLabel(file, $"{path}.machines.on", label, NearestName.Of(label, known)));
            }
        }
    }

    private static MachineDefinition Machine(Section s, string name, Dictionary<string, string> owners, Report report)
    {
        var address = s.Text("address", IsAddress, "an IP address such as 10.0.0.11");
        if (address is not null && !owners.TryAdd(IPAddress.Parse(address).ToString(), name))
        {
            report.Add(StackErrors.AddressTaken(s.Place("address"), name, address, owners[IPAddress.Parse(address).ToString()]));
        }

        var labels = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        foreach (var label in s.Texts("labels") ?? [])
        {
            if (Names.IsLabel(label.Text))
            {
                labels.Add(label.Text);
            }
            else
            {
                report.Add(StackErrors.BadName(label.At, $"the label of machines.{name}", label.Text, Names.Fit(label.Text, "label")));
            }
        }

        return new MachineDefinition { Address = address is null ? null : IPAddress.Parse(address).ToString(), Labels = labels.ToImmutable() };
    }

    // "1" is an address to some: 0.0.0.1.
    private static bool IsAddress(string text) => IPAddress.TryParse(text, out _) && (text.Contains(':') || text.Count(c => c == '.') == 3);

    private static MachineDefinition Refuse(Node value, string path, Report report)
    {
        report.Add(StackErrors.WrongType(value.At, path, "a map such as {address: 10.0.0.11, labels: [web]}", value.Kind));
        return new MachineDefinition();
    }
}
