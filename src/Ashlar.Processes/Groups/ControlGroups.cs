using System.Collections.Immutable;
using System.Globalization;

namespace Ashlar.Processes;

/// <summary>
/// The machine's cgroup hierarchies as far as this process may use them: v2 with controllers, v1 controllers beside an
/// (empty) v2 tree, or none. All that they give is optional: a refusal becomes a warning, never a failure.
/// </summary>
/// <remarks>
/// Groups are made below the cgroup that this process is in, so that limits set on it from outside also hold for what it starts:
/// <c>ashlar/STACK/TAG</c>.
/// </remarks>
internal sealed class ControlGroups
{
    private const string Folder = "ashlar";
    private const string AgentLeaf = "ashlar-agent";
    private const int PeriodMicroseconds = 100_000;
    private const int ShortestQuotaMicroseconds = 1_000;

    private readonly string? _unified;
    private readonly bool _unifiedControls;
    private readonly string? _cpu;
    private readonly string? _memory;

    internal ControlGroups(string? unified, bool unifiedControls, string? cpu, string? memory)
    {
        _unified = unified;
        _unifiedControls = unifiedControls;
        _cpu = cpu;
        _memory = memory;
    }

    /// <summary>True: groups can be made here.</summary>
    public bool Available => _unified is not null || _cpu is not null || _memory is not null;

    /// <summary>Looks at <c>/proc/self/mountinfo</c> and <c>/proc/self/cgroup</c>.</summary>
    public static ControlGroups Detect() => Detect(File.ReadAllLines("/proc/self/mountinfo"), File.ReadAllLines("/proc/self/cgroup"));

    internal static ControlGroups Detect(IReadOnlyCollection<string> mounts, IReadOnlyCollection<string> memberships)
    {
        var (unified, cpu, memory) = Locate(mounts, memberships);
        var leaf = unified is not null && Path.GetFileName(unified) == AgentLeaf;
        unified = Usable(leaf ? Path.GetDirectoryName(unified) : unified);
        var offered = unified is null ? [] : ReadOrEmpty(Path.Combine(unified, "cgroup.controllers")).Split(' ', '\n');
        return new ControlGroups(unified, offered.Contains("cpu") && offered.Contains("memory"), Usable(cpu), Usable(memory));
    }

    /// <summary>Makes the group of a start, with its limits.</summary>
    /// <param name="stack">Name of the stack.</param>
    /// <param name="tag">Tag of the start.</param>
    /// <param name="cpu">Cores; null: no limit.</param>
    /// <param name="memory">Bytes; null: no limit.</param>
    /// <param name="warnings">What could not be had.</param>
    /// <returns>The group; null where there is none.</returns>
    public ControlGroup? Make(string stack, string tag, double? cpu, long? memory, out ImmutableArray<string> warnings)
    {
        var refused = ImmutableArray.CreateBuilder<string>();
        var unified = Make(_unified, stack, tag, refused);
        var cpuFolder = cpu is null ? null : _unifiedControls ? unified : Make(_cpu, stack, tag, refused);
        var memoryFolder = memory is null ? null : _unifiedControls ? unified : Make(_memory, stack, tag, refused);
        if (_unifiedControls && unified is not null && (cpu ?? memory) is not null)
            Delegate(_unified!, stack, refused);

        if (cpu is { } cores && Limit("CPU", cpuFolder, CpuSettings(cores, cpuFolder == unified), refused) is false)
            cpuFolder = null;
        var limited = memory is { } bytes && Limit("memory", memoryFolder, MemorySettings(bytes, memoryFolder == unified), refused);
        warnings = refused.ToImmutable();
        return (unified ?? cpuFolder ?? memoryFolder) is null
            ? null
            : new ControlGroup(unified, cpuFolder, memoryFolder, limited ? memory : null);
    }

    /// <summary>The group that a process is in, if it is the one of this start.</summary>
    public static ControlGroup? Find(string stack, string tag, int pid, long? memoryLimit)
    {
        try
        {
            var (unified, cpu, memory) = Locate(File.ReadAllLines("/proc/self/mountinfo"), File.ReadAllLines($"/proc/{pid}/cgroup"));
            unified = Ours(unified);
            cpu = Ours(cpu);
            memory = Ours(memory) ?? (unified is not null && File.Exists(Path.Combine(unified, "memory.events")) ? unified : null);
            return (unified ?? cpu ?? memory) is null ? null : new ControlGroup(unified, cpu, memory, memoryLimit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // It has ended meanwhile.
        }

        string? Ours(string? folder) =>
            folder?.EndsWith(PathOf("/", stack, tag), StringComparison.Ordinal) is true ? folder : null;
    }

    /// <summary>Takes the stack's own folder away unless a group is still in it.</summary>
    public void RemoveIfEmpty(string stack)
    {
        foreach (var top in new[] { _unified, _cpu, _memory }.OfType<string>())
        {
            try
            {
                Directory.Delete(Path.Combine(top, Folder, Escape(stack)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // In use, or there never was one.
            }
        }
    }

    private static (string File, string Value)[] CpuSettings(double cores, bool unified)
    {
        var quota = Math.Max(ShortestQuotaMicroseconds, (long)(cores * PeriodMicroseconds)).ToString(CultureInfo.InvariantCulture);
        return unified
            ? [("cpu.max", $"{quota} {PeriodMicroseconds}")]
            : [("cpu.cfs_period_us", PeriodMicroseconds.ToString(CultureInfo.InvariantCulture)), ("cpu.cfs_quota_us", quota)];
    }

    private static (string File, string Value)[] MemorySettings(long bytes, bool unified) =>
        [(unified ? "memory.max" : "memory.limit_in_bytes", bytes.ToString(CultureInfo.InvariantCulture))];

    private static bool Limit(string what, string? folder, (string File, string Value)[] settings, ImmutableArray<string>.Builder refused)
    {
        if (folder is null)
        {
            refused.Add($"no {what} limit: this machine offers no cgroup for it that this user may write");
            return false;
        }
        foreach (var (file, value) in settings)
        {
            if (ControlGroup.TryWrite(Path.Combine(folder, file), value) is { } reason)
            {
                refused.Add($"no {what} limit: {reason}");
                return false;
            }
        }
        return true;
    }

    /// <summary>
    /// In v2 a controller must be switched on from the top down to the parent of the group, and a cgroup that hands controllers
    /// down may hold no process itself (the root excepted): so this process moves to a leaf of its own where it is in the way.
    /// </summary>
    private static void Delegate(string top, string stack, ImmutableArray<string>.Builder refused)
    {
        foreach (var folder in new[] { top, Path.Combine(top, Folder), Path.Combine(top, Folder, Escape(stack)) })
        {
            var reason = SwitchOn(folder);
            if (reason is not null && folder == top && MoveToLeaf(top))
                reason = SwitchOn(folder);
            if (reason is not null)
                refused.Add($"no cgroup controllers below {folder}: {reason}");
        }

        static string? SwitchOn(string folder) =>
            ControlGroup.TryWrite(Path.Combine(folder, "cgroup.subtree_control"), "+cpu +memory");
    }

    private static bool MoveToLeaf(string top)
    {
        var leaf = Path.Combine(top, AgentLeaf);
        try
        {
            Directory.CreateDirectory(leaf);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        return ControlGroup.TryWrite(Path.Combine(leaf, "cgroup.procs"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture)) is null;
    }

    private static string? Make(string? top, string stack, string tag, ImmutableArray<string>.Builder refused)
    {
        if (top is null)
            return null;
        var folder = PathOf(top, stack, tag);
        try
        {
            Directory.CreateDirectory(folder);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            refused.Add($"no cgroup: {e.Message}");
            return null;
        }
    }

    private static string PathOf(string top, string stack, string tag) => Path.Combine(top, Folder, Escape(stack), Escape(tag));

    private static string Escape(string name) => name.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal);

    /// <summary>The folders that stand for these memberships in each hierarchy that is mounted.</summary>
    private static (string? Unified, string? Cpu, string? Memory) Locate(
        IReadOnlyCollection<string> mounts, IReadOnlyCollection<string> memberships)
    {
        string? unified = null, cpu = null, memory = null;
        foreach (var line in mounts)
        {
            // 36 35 98:0 ROOT MOUNTPOINT options … - TYPE source super-options
            var halves = line.Split(" - ", 2);
            var left = halves[0].Split(' ');
            var right = halves.Length == 2 ? halves[1].Split(' ') : [];
            if (left.Length < 5 || right.Length < 3)
                continue;
            var controllers = right[2].Split(',');
            if (right[0] == "cgroup2")
                unified ??= FolderOf(left[3], left[4], memberships, "");
            else if (right[0] == "cgroup" && controllers.Contains("cpu"))
                cpu ??= FolderOf(left[3], left[4], memberships, "cpu");
            else if (right[0] == "cgroup" && controllers.Contains("memory"))
                memory ??= FolderOf(left[3], left[4], memberships, "memory");
        }
        return (unified, cpu, memory);
    }

    private static string? FolderOf(string root, string mountPoint, IEnumerable<string> memberships, string controller)
    {
        foreach (var line in memberships)
        {
            // 4:memory:/path, or 0::/path for v2
            var parts = line.Split(':', 3);
            if (parts.Length != 3 || !parts[1].Split(',').Contains(controller))
                continue;
            var path = parts[2];
            if (root != "/")
                path = path.StartsWith(root + "/", StringComparison.Ordinal) ? path[root.Length..] : "/";
            return Path.Join(mountPoint, path).TrimEnd('/');
        }
        return null;
    }

    /// <summary>Only where we may make folders is it of use; an ordinary user mostly may not.</summary>
    private static string? Usable(string? folder) =>
        folder is not null && Directory.Exists(folder) && UserAccess.CanWrite(folder) ? folder : null;

    private static string ReadOrEmpty(string file) => File.Exists(file) ? File.ReadAllText(file) : "";
}
