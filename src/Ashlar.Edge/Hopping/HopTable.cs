using System.Net;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Edge.Balancing;

namespace Ashlar.Edge.Hopping;

/// <summary>
/// What machines may ask of each other: who is one of the stack, and where the engines' instances are. Immutable and built once per
/// snapshot. No port can be reached through it that is not an engine's.
/// </summary>
internal sealed class HopTable
{
    private readonly HashSet<string> _members;
    private readonly Dictionary<string, EngineElsewhere> _elsewhere;
    private readonly Dictionary<string, IPEndPoint>.AlternateLookup<ReadOnlySpan<char>> _here;

    private HopTable(HashSet<string> members, Dictionary<string, EngineElsewhere> elsewhere, Dictionary<string, IPEndPoint> here)
    {
        _members = members;
        _elsewhere = elsewhere;
        _here = here.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Of a stack that has one machine.</summary>
    public static HopTable Empty { get; } = new([], [], new(StringComparer.Ordinal));

    /// <summary>True if a machine of this name is one of the stack.</summary>
    public bool IsMember(string? machine) => machine is not null && _members.Contains(machine);

    /// <summary>An engine's instance on another machine that can be reached; null if there is none of this name.</summary>
    public EngineElsewhere? Elsewhere(string instance) => _elsewhere.GetValueOrDefault(instance);

    /// <summary>Where an engine's instance on this machine listens; null if there is none of this name.</summary>
    public IPEndPoint? Here(ReadOnlySpan<byte> instance)
    {
        Span<char> name = stackalloc char[128];
        return instance.Length <= name.Length && Encoding.ASCII.TryGetChars(instance, name, out var length)
            && _here.TryGetValue(name[..length], out var endPoint) ? endPoint : null;
    }

    /// <summary>True if the instance runs on the machine that the snapshot is for.</summary>
    public static bool IsHere(CatalogInstance instance, CatalogSnapshot snapshot) =>
        instance.Machine.Length == 0 || instance.Machine == snapshot.Machine;

    public static HopTable Build(CatalogSnapshot snapshot, MachineTargets machines)
    {
        if (snapshot.Machines.IsEmpty)
        {
            return Empty;
        }

        var elsewhere = new Dictionary<string, EngineElsewhere>(StringComparer.Ordinal);
        var here = new Dictionary<string, IPEndPoint>(StringComparer.Ordinal);
        foreach (var instance in snapshot.Engines.SelectMany(static engine => engine.Instances).Where(static instance => instance.Port != 0))
        {
            if (IsHere(instance, snapshot))
            {
                here[instance.Name] = new IPEndPoint(IPAddress.Loopback, instance.Port);
            }
            else if (machines.Reachable.TryGetValue(instance.Machine, out var machine))
            {
                elsewhere[instance.Name] = new EngineElsewhere(machine, HopField.Line(HopField.Bytes, instance.Name));
            }
        }

        return new HopTable([.. snapshot.Machines.Select(static machine => machine.Name)], elsewhere, here);
    }
}

/// <summary>An engine's instance on another machine.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="HopLine">The line that names the instance to its edge.</param>
internal sealed record EngineElsewhere(MachineTarget Machine, byte[] HopLine);
