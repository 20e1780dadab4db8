using System.Runtime.InteropServices;
using Ashlar.Output;

namespace Ashlar.Doctoring;

/// <summary>Checks of the machine, whatever the stack is.</summary>
internal static partial class MachineChecks
{
    private const int EnoughFiles = 65_536;
    private const int NotSynchronized = 5;
    private const int Writable = 2;

    private static readonly string[] ControlGroupRoots =
        ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/memory"];

    /// <summary>All of them.</summary>
    /// <param name="folder">Folder on the disk that the stack will write to.</param>
    public static IEnumerable<Check> All(string folder) =>
        [Runtime(), Disk(folder), OpenFiles(File.ReadAllText("/proc/self/limits")), Clock(), ControlGroup(), .. Tools(Programs.Find)];

    /// <summary>.NET, or a program that brings its own.</summary>
    public static Check Runtime()
    {
        var own = File.Exists(Path.Combine(AppContext.BaseDirectory, "libcoreclr.so"));
        return Check.Good("runtime", $"{RuntimeInformation.FrameworkDescription}, {(own ? "self-contained" : "from the machine")}, {RuntimeInformation.RuntimeIdentifier}");
    }

    /// <summary>Room on the disk.</summary>
    public static Check Disk(string folder) => Disk(folder, new DriveInfo(folder).AvailableFreeSpace);

    /// <inheritdoc cref="Disk(string)"/>
    public static Check Disk(string folder, long free) => free switch
    {
        < 100L << 20 => new("disk", Verdict.Failed, $"{Units.Bytes(free)} free under {folder}", "free some space; releases and logs lie there"),
        < 1L << 30 => new("disk", Verdict.Warning, $"{Units.Bytes(free)} free under {folder}", "each release is a copy of the app: free some space"),
        _ => Check.Good("disk", $"{Units.Bytes(free)} free"),
    };

    /// <summary>RLIMIT_NOFILE: a connection through the edge takes two.</summary>
    /// <param name="limits">Text of <c>/proc/self/limits</c>.</param>
    public static Check OpenFiles(string limits)
    {
        var line = limits.Split('\n').FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal)) ?? "";
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var hard = words is [_, _, _, _, var text, ..] && text != "unlimited" && long.TryParse(text, out var number) ? number : long.MaxValue;
        var found = hard == long.MaxValue ? "unlimited" : $"at most {hard}";
        return hard >= EnoughFiles
            ? Check.Good("open files", found)
            : new("open files", Verdict.Warning, found, $"raise LimitNOFILE or ulimit -Hn to {EnoughFiles}: each connection through the edge takes two");
    }

    /// <summary>Whether something keeps the clock right: certificates, leases and logs depend on it.</summary>
    public static unsafe Check Clock()
    {
        var state = stackalloc byte[512]; // struct timex, modes 0: ask only
        new Span<byte>(state, 512).Clear();
        return AskClock(state) == NotSynchronized
            ? new("clock", Verdict.Warning, $"{DateTime.UtcNow:u}, not kept in step with a time server", "install chrony or enable systemd-timesyncd")
            : Check.Good("clock", $"{DateTime.UtcNow:u}");
    }

    /// <summary>Whether limits of instances can be held.</summary>
    public static Check ControlGroup() => ControlGroupRoots.FirstOrDefault(root => Directory.Exists(root) && Access(root, Writable) == 0) is { } found
        ? Check.Good("cgroups", found)
        : new("cgroups", Verdict.Warning, "none that can be written", "limits: memory and cpu are not held; run as root, or under ashlar service install");

    /// <summary>The small programs that start processes rightly.</summary>
    public static IEnumerable<Check> Tools(Func<string, string?> find)
    {
        foreach (var tool in new[] { "setsid", "setpriv", "prlimit" })
        {
            yield return find(tool) is { } path
                ? Check.Good(tool, path)
                : new(tool, Verdict.Failed, "is not on the PATH", "apt-get install util-linux", "util-linux");
        }
    }

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "adjtimex")]
    private static unsafe partial int AskClock(byte* timex);
}
