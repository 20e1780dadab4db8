namespace Ashlar.Engines;

/// <summary>What all engines have in common.</summary>
internal static class Engine
{
    /// <summary>Engines listen here and nowhere else.</summary>
    public const string Address = "127.0.0.1";

    /// <summary>The least memory for data that makes sense: below, an engine's own needs are most of it.</summary>
    public const long LeastMemory = 8 << 20;

    private const long Spare = 64 << 20;

    /// <summary>
    /// The limit of the whole process for this much data: half as much again for fragments, buffers of connections and what is copied
    /// while a child writes the log anew, and 64 MiB for the program itself.
    /// </summary>
    public static long ProcessMemory(long data) => data + (data / 2) + Spare;
}
