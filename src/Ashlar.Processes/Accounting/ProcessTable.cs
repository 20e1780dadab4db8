using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Ashlar.Processes;

/// <summary>Reads <c>/proc</c> with as few system calls and allocations as it takes: it is read each second.</summary>
internal static class ProcessTable
{
    /// <summary>Identifies this boot of the machine.</summary>
    public static string BootId { get; } = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>Clock ticks a second in the times of <c>/proc</c>.</summary>
    public static long TicksPerSecond { get; } = Libc.sysconf(Libc.SC_CLK_TCK);

    /// <summary>The present in the clock of <see cref="ProcessStat.StartTime"/>.</summary>
    public static unsafe long Now()
    {
        var time = stackalloc long[2]; // struct timespec
        _ = Libc.clock_gettime(Libc.CLOCK_BOOTTIME, time);
        return (time[0] * TicksPerSecond) + (time[1] * TicksPerSecond / 1_000_000_000);
    }

    /// <summary>The ids of all processes (not threads) at this moment, ascending.</summary>
    public static unsafe void ListPids(List<int> pids)
    {
        pids.Clear();
        using var folder = FileDescriptor.Open("/proc", Libc.O_DIRECTORY, 0, out var errno)
            ?? throw new IOException($"/proc cannot be read: {ProcessErrors.Text(errno)}.");
        const int Size = 16 * 1024;
        var buffer = stackalloc byte[Size];
        while (true)
        {
            var length = (int)Libc.syscall(Libc.SYS_getdents64, folder.Number, (nint)buffer, Size, 0);
            if (length <= 0)
                return;
            // struct linux_dirent64: inode 8, offset 8, length 2, type 1, name.
            for (var entries = new ReadOnlySpan<byte>(buffer, length); !entries.IsEmpty;)
            {
                var size = BinaryPrimitives.ReadUInt16LittleEndian(entries[16..]);
                if (Utf8Parser.TryParse(entries[19..size], out int pid, out var used) && entries[19 + used] == 0)
                    pids.Add(pid);
                entries = entries[size..];
            }
        }
    }

    /// <summary>What the kernel says of a process; false if it is gone.</summary>
    public static bool TryRead(int pid, out ProcessStat stat)
    {
        Span<byte> buffer = stackalloc byte[1024];
        stat = default;
        return ReadSmall($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat", buffer) is > 0 and var length
            && ProcessStat.TryParse(buffer[..length], out stat);
    }

    /// <summary>All processes that can be read now.</summary>
    public static List<ProcessStat> Read()
    {
        var pids = new List<int>(256);
        ListPids(pids);
        var table = new List<ProcessStat>(pids.Count);
        foreach (var pid in pids)
        {
            if (TryRead(pid, out var stat))
                table.Add(stat);
        }
        return table;
    }

    /// <summary>The process's name for ever, or null if it is gone.</summary>
    public static ProcessIdentity? Identify(int pid) =>
        TryRead(pid, out var stat) ? new ProcessIdentity(pid, stat.StartTime, BootId) : null;

    /// <summary>True: the process that has this pid now is the one meant.</summary>
    public static bool Is(ProcessIdentity identity) =>
        identity.BootId == BootId && TryRead(identity.Pid, out var stat) && stat.StartTime == identity.StartTime;

    /// <summary>Program and arguments as <c>ps</c> shows them, at most 4 KiB; empty for zombies and the kernel's own.</summary>
    public static string CommandLine(int pid)
    {
        Span<byte> buffer = stackalloc byte[4096];
        var length = Math.Max(0, ReadSmall($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/cmdline", buffer));
        var text = buffer[..length];
        text.Replace((byte)0, (byte)' ');
        return Encoding.UTF8.GetString(text).TrimEnd();
    }

    /// <summary>The kernel's name of the process (at most 15 characters); empty if it is gone.</summary>
    public static string Name(int pid)
    {
        Span<byte> buffer = stackalloc byte[64];
        var length = Math.Max(0, ReadSmall($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/comm", buffer));
        return Encoding.UTF8.GetString(buffer[..length]).TrimEnd('\n');
    }

    /// <summary>Reads a file until the buffer is full or the file ends; -1 if it cannot be read.</summary>
    public static unsafe int ReadSmall(string path, Span<byte> buffer)
    {
        var fd = Libc.open(path, Libc.O_CLOEXEC, 0);
        if (fd < 0)
            return -1;
        var length = 0;
        fixed (byte* pointer = buffer)
        {
            nint count;
            while (length < buffer.Length && (count = Libc.read(fd, pointer + length, buffer.Length - length)) > 0)
                length += (int)count;
        }
        _ = Libc.close(fd);
        return length;
    }
}
