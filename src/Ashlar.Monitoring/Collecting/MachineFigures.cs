using System.Buffers;
using System.Buffers.Text;

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

    // What is needed stands at the begin of both, also on a machine of a thousand cores.
    private const int MostBytes = 128 * 1024;

    /// <summary>Reads them; null where there is no such <c>/proc</c>.</summary>
    public static MachineFigures? Read()
    {
        var room = ArrayPool<byte>.Shared.Rent(2 * MostBytes);
        try
        {
            var stat = Read("/proc/stat", room.AsSpan(0, MostBytes));
            return Parse(stat, Read("/proc/meminfo", room.AsSpan(MostBytes)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    private static ReadOnlySpan<byte> Read(string path, Span<byte> into)
    {
        using var file = File.OpenHandle(path);
        return into[..RandomAccess.Read(file, into, 0)];
    }

    internal static MachineFigures? Parse(ReadOnlySpan<byte> stat, ReadOnlySpan<byte> memory)
    {
        if (!stat.StartsWith("cpu "u8))
        {
            return null;
        }

        // user nice system idle iowait irq softirq steal; what guests use is in user already.
        var rest = stat["cpu "u8.Length..];
        long busy = 0;
        for (var field = 1; field <= 8; field++)
        {
            var value = Next(ref rest);
            busy += field is 4 or 5 ? 0 : value;
        }

        var cores = 0;
        for (var line = stat; (line = line[(line.IndexOf((byte)'\n') + 1)..]).StartsWith("cpu"u8);)
        {
            cores++;
        }

        return new MachineFigures(busy * MillisecondsPerTick, Math.Max(1, cores), Kibibytes(memory, "MemTotal:"u8) * 1024, Kibibytes(memory, "MemAvailable:"u8) * 1024);
    }

    private static long Kibibytes(ReadOnlySpan<byte> memory, ReadOnlySpan<byte> name)
    {
        var at = memory.IndexOf(name);
        var rest = at < 0 ? default : memory[(at + name.Length)..];
        return Next(ref rest);
    }

    private static long Next(ref ReadOnlySpan<byte> text)
    {
        text = text.TrimStart((byte)' ');
        var found = Utf8Parser.TryParse(text, out long value, out var length);
        text = text[length..];
        return found && value > 0 ? value : 0;
    }
}
