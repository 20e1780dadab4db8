using System.Globalization;

namespace Ashlar.Testing.Machines;

/// <summary>The control groups of a host, one in each hierarchy that counts: v2, and v1 for CPU and memory where they are apart.</summary>
/// <remarks>
/// With groups of its own a host's agent, which makes its groups below the one it is in, meets no agent of another host.
/// v1 groups are made below ours; v2 groups at the top, because only there a group with processes may hand on a controller.
/// </remarks>
internal sealed class ControlGroupTree(string net, string host)
{
    /// <summary>The folders that hold the groups of nets; none for an ordinary user, who may make none.</summary>
    public static IReadOnlyList<string> Roots() => [.. Hierarchies().Select(h => h.Root)];

    /// <summary>Those of this host that could be made.</summary>
    public IReadOnlyList<string> Folders { get; private set; } = [];

    /// <summary>Makes them.</summary>
    public void Make() => Folders = [.. Roots().Select(root => Path.Combine(root, net, host)).Where(TryMake)];

    /// <summary>So many cores together for all processes of the host, which what runs beside the nets does not take from it.</summary>
    public void LimitCpu(double cores, TimeSpan per)
    {
        var hierarchy = Hierarchies().FirstOrDefault(h => h.Cpu)
            ?? throw new PlatformNotSupportedException("There is no control group for CPU that this user may change.");
        var folder = Path.Combine(hierarchy.Root, net, host);
        var quota = ((long)(cores * per.TotalMicroseconds)).ToString(CultureInfo.InvariantCulture);
        var period = ((long)per.TotalMicroseconds).ToString(CultureInfo.InvariantCulture);
        if (!hierarchy.Unified)
        {
            File.WriteAllText(Path.Combine(hierarchy.Root, net, "cpu.shares"), "65536");
            File.WriteAllText(Path.Combine(folder, "cpu.cfs_quota_us"), "-1");
            File.WriteAllText(Path.Combine(folder, "cpu.cfs_period_us"), period);
            File.WriteAllText(Path.Combine(folder, "cpu.cfs_quota_us"), quota);
            return;
        }

        foreach (var parent in new[] { hierarchy.Root, Path.Combine(hierarchy.Root, net) })
        {
            File.WriteAllText(Path.Combine(parent, "cgroup.subtree_control"), "+cpu");
        }
        File.WriteAllText(Path.Combine(hierarchy.Root, net, "cpu.weight"), "10000");
        File.WriteAllText(Path.Combine(folder, "cpu.max"), $"{quota} {period}");
    }

    /// <summary>The processes in the groups of a net, of one host or of all.</summary>
    public static IEnumerable<int> Processes(string net, string host = "") => Below(net, host)
        .SelectMany(folder => TryRead(Path.Combine(folder, "cgroup.procs")))
        .Select(line => int.Parse(line, CultureInfo.InvariantCulture)).Distinct();

    /// <summary>Takes away all groups of a net. Its processes must have ended.</summary>
    /// <returns>Whether none is left.</returns>
    public static bool TryRemove(string net)
    {
        foreach (var folder in Below(net, "").OrderByDescending(f => f.Length))
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
                return false;
            }
        }
        return true;
    }

    private static IEnumerable<string> Below(string net, string host) =>
        Roots().Select(root => Path.Combine(root, net, host)).Where(Directory.Exists)
            .SelectMany(top => new[] { top.TrimEnd('/') }.Concat(Directory.GetDirectories(top, "*", SearchOption.AllDirectories)));

    private static string[] TryRead(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static bool TryMake(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private sealed record Hierarchy(string Root, bool Unified, bool Cpu);

    private static IEnumerable<Hierarchy> Hierarchies()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            yield break;
        }

        var own = File.ReadLines("/proc/self/cgroup").Select(line => line.Split(':', 3)).ToList();
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            var fields = line.Split(' ');
            var kind = fields[Array.IndexOf(fields, "-") + 1];
            var controllers = fields[^1].Split(',');
            if (kind == "cgroup2")
            {
                yield return new(fields[4], Unified: true, TryRead(Path.Combine(fields[4], "cgroup.controllers")).Any(c => c.Split(' ').Contains("cpu")));
            }
            else if (kind == "cgroup" && (controllers.Contains("cpu") || controllers.Contains("memory"))
                && own.Find(o => o[1].Split(',').Intersect(controllers).Any()) is { } mine)
            {
                yield return new(Path.Combine(fields[4], mine[2].TrimStart('/')).TrimEnd('/'), Unified: false, controllers.Contains("cpu"));
            }
        }
    }
}
