using System.Globalization;

namespace Ashlar.Processes;

/// <summary>The cgroup of one start: one folder in each hierarchy that is in use.</summary>
internal sealed class ControlGroup
{
    private readonly string? _unified;
    private readonly string? _cpu;
    private readonly string? _memory;

    internal ControlGroup(string? unified, string? cpu, string? memory, long? memoryLimit)
    {
        _unified = unified;
        _cpu = cpu;
        _memory = memory;
        MemoryLimit = memoryLimit;
    }

    /// <summary>The memory limit that is in force, in bytes; null: none.</summary>
    public long? MemoryLimit { get; }

    /// <summary>The processes in it; null where there is no hierarchy that could tell.</summary>
    public HashSet<int>? Pids()
    {
        if ((_unified ?? _memory ?? _cpu) is not { } folder)
            return null;
        try
        {
            return [.. File.ReadLines(Path.Combine(folder, "cgroup.procs")).Select(line => int.Parse(line, CultureInfo.InvariantCulture))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Kills every process in it at once, also those that fork meanwhile. False: the kernel offers no such thing here.</summary>
    public bool Kill() => _unified is not null && TryWrite(Path.Combine(_unified, "cgroup.kill"), "1") is null;

    /// <summary>How many of its processes the kernel killed because it was over its memory limit.</summary>
    public long OutOfMemoryKills()
    {
        var file = _memory is not null
            ? Path.Combine(_memory, _memory == _unified ? "memory.events" : "memory.oom_control")
            : null;
        try
        {
            return file is null
                ? 0
                : File.ReadLines(file).Where(line => line.StartsWith("oom_kill ", StringComparison.Ordinal))
                    .Select(line => long.Parse(line.AsSpan(9), CultureInfo.InvariantCulture)).FirstOrDefault();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The kernel's files by which a process enters, one a hierarchy: it writes 0 (itself) or another's pid.</summary>
    public IEnumerable<string> Doors => Folders().Select(folder => Path.Combine(folder, "cgroup.procs"));

    /// <summary>Moves a process in; gives the reason where a hierarchy refuses.</summary>
    internal string? Enter(int pid)
    {
        string? refused = null;
        foreach (var door in Doors)
            refused = TryWrite(door, pid.ToString(CultureInfo.InvariantCulture)) ?? refused;
        return refused;
    }

    /// <summary>Takes the folders away; false while a process is still in one of them.</summary>
    internal bool Remove()
    {
        var gone = true;
        foreach (var folder in Folders())
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (DirectoryNotFoundException)
            {
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                gone = false;
            }
        }
        return gone;
    }

    /// <summary>Writes one of the kernel's files; null if that went well, else the reason.</summary>
    internal static string? TryWrite(string file, string text)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            stream.Write(System.Text.Encoding.ASCII.GetBytes(text));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private IEnumerable<string> Folders() => new[] { _unified, _cpu, _memory }.OfType<string>().Distinct();
}
