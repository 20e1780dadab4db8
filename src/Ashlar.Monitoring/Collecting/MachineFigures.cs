using System.Globalization;

namespace Ashlar.Monitoring;

/// <summary>What the machine as a whole uses, from <c>/proc/stat</c> and <c>/proc/meminfo</c> (<c>proc(5)</c>).</summary>
/// <param name="BusyMilliseconds">CPU time of all cores since the machine started.</param>
/// <param name="Cores">Cores.</param>
/// <param name="Memory">Bytes.</param>
/// <param name="MemoryAvailable">Bytes that a new process could have.</param>
internal sealed record MachineFigures(long BusyMilliseconds, int Cores, long Memory, long MemoryAvailable)
{
    public const string Cpu = "machine_cpu_milliseconds";
    public const string CoreCount = "machine_cores";
    public const string MemoryTotal = "machine_memory_bytes";
    public const string MemoryFree = "machine_memory_available_bytes";

    // USER_HZ, which /proc/stat counts in, is 100 on every architecture that .NET runs on.
    private const int MillisecondsPerTick = 10;

    /// <summary>Reads them; null where there is no such <c>/proc</c>.</summary>
    public static MachineFigures? Read()
    {
        try
        {
            return Parse(File.ReadAllText("/proc/stat"), File.ReadAllText("/proc/meminfo"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static MachineFigures? Parse(string stat, string memory)
    {
        var lines = stat.Split('\n');
        var first = lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (first is not ["cpu", _, _, _, _, _, _, _, ..])
        {
            return null;
        }

        // user nice system idle iowait irq softirq steal; what guests use is in user already.
        long busy = 0;
        for (var field = 1; field <= Math.Min(8, first.Length - 1); field++)
        {
            busy += field is 4 or 5 ? 0 : Number(first[field]);
        }

        var cores = lines.Count(line => line.StartsWith("cpu", StringComparison.Ordinal) && line.Length > 3 && char.IsAsciiDigit(line[3]));
        return new MachineFigures(busy * MillisecondsPerTick, Math.Max(1, cores), Kibibytes(memory, "MemTotal:") * 1024, Kibibytes(memory, "MemAvailable:") * 1024);
    }

    private static long Kibibytes(string memory, string name) =>
        memory.Split('\n').FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } found
        && found.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var kib, ..] ? Number(kib) : 0;

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;
}
