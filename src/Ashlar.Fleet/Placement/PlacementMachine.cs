using System.Collections.Immutable;

namespace Ashlar.Fleet.Placement;

/// <summary>A machine as placement sees it.</summary>
public sealed record PlacementMachine
{
    /// <summary>Its name in the stack.</summary>
    public required string Name { get; init; }

    /// <summary>Its labels; its own name counts as one.</summary>
    public ImmutableSortedSet<string> Labels { get; init; } = [];

    /// <summary>Bytes of memory that instances may ask for in all.</summary>
    public long Memory { get; init; } = long.MaxValue;

    /// <summary>Cores that instances may ask for in all.</summary>
    public double Cpu { get; init; } = double.PositiveInfinity;

    /// <summary>What it takes.</summary>
    public Admission Admission { get; init; }

    /// <summary>True: it was lost lately, and is taken only where no other machine is left.</summary>
    public bool Unsteady { get; init; }

    /// <summary>True: it carries that label, or has that name.</summary>
    public bool Matches(string? label) => label is null || label == Name || Labels.Contains(label);
}

/// <summary>What a machine takes.</summary>
public enum Admission
{
    /// <summary>Instances old and new.</summary>
    Open,

    /// <summary>It keeps what it has and takes nothing new: cordoned, or suspected to be gone.</summary>
    Closed,

    /// <summary>What it has goes elsewhere, except what is pinned to it: drained.</summary>
    Leaving,

    /// <summary>It is taken to be gone: all that is not pinned to it starts elsewhere.</summary>
    Lost,
}
