namespace Ashlar.Fleet.Placement;

/// <summary>An instance that wants a machine.</summary>
public sealed record PlacementDemand
{
    /// <summary>Its service. Instances of one service are spread over machines.</summary>
    public required string Service { get; init; }

    /// <summary>From 1.</summary>
    public required int Index { get; init; }

    /// <summary>Bytes of memory it asks for; 0: does not say.</summary>
    public long Memory { get; init; }

    /// <summary>Cores it asks for; 0: does not say.</summary>
    public double Cpu { get; init; }

    /// <summary>Label, or name, of the machines that it may run on; null: any.</summary>
    public string? On { get; init; }

    /// <summary>True: its service has machines of its own, on which nothing else is placed.</summary>
    public bool Dedicated { get; init; }

    /// <summary>Machine on which its data lies: there or nowhere. Null: none.</summary>
    public string? PinnedTo { get; init; }

    /// <summary><c>web.1</c>.</summary>
    public string Name => $"{Service}.{Index}";
}
