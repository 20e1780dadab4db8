using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>A machine as the stack file names it. It becomes one of the stack when it joins.</summary>
public sealed record MachineDefinition
{
    /// <summary>Address at which the others reach it, an IP literal; null: the file does not say.</summary>
    public string? Address { get; init; }

    /// <summary>Labels for placement, beside those that it was given when it joined.</summary>
    public ImmutableSortedSet<string> Labels { get; init => field = value ?? []; } = [];
}

/// <summary>On which machines something may run.</summary>
public sealed record PlacementDefinition
{
    /// <summary>On all.</summary>
    public static PlacementDefinition Anywhere { get; } = new();

    /// <summary>A label, or the name of a machine; null: any machine.</summary>
    public string? On { get; init; }

    /// <summary>True: it has machines of its own, on which nothing else is placed.</summary>
    public bool Dedicated { get; init; }
}
