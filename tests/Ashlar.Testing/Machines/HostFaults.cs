namespace Ashlar.Testing.Machines;

/// <summary>What is wrong with a host's link.</summary>
internal sealed record HostFaults
{
    /// <summary>By how much later comes what it sends, and how much that varies.</summary>
    public TimeSpan Delay { get; init; }

    public TimeSpan Jitter { get; init; }

    /// <summary>How many of 10 000 packets that it sends are lost.</summary>
    public int Loss { get; init; }

    /// <summary>Bits per second each way.</summary>
    public long? Rate { get; init; }
}
