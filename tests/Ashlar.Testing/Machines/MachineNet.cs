using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;

namespace Ashlar.Testing.Machines;

/// <summary>
/// Hosts out of network namespaces on a bridge, with addresses of their own; this process has one there too. Safe in parallel, gone when disposed;
/// what a run that crashed left is taken away when the next begins. Root can, and an ordinary user in namespaces of his own (<c>tools/own-network</c>).
/// </summary>
public sealed partial class MachineNet : IAsyncDisposable
{
    private const int MostHosts = 200;
    private const int TeardownSeconds = 20;
    private static readonly Lazy<string?> Hindrance = new(FindHindrance);
    private readonly NetSlot _slot;
    private readonly MachineHost[] _hosts;
    private readonly string _folder;

    private MachineNet(NetSlot slot, int hosts)
    {
        _slot = slot;
        _folder = Directory.CreateTempSubdirectory($"{slot.Name}-").FullName;
        // Services of a stack run as users of their own.
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        _hosts = [.. Enumerable.Range(0, hosts).Select(i => new MachineHost(slot, i, _folder))];
    }

    /// <summary>Whether there can be one here; a test returns at once where not.</summary>
    public static bool IsAvailable => Hindrance.Value is null;

    /// <summary>Why not.</summary>
    public static string? WhyNot => Hindrance.Value;

    /// <summary>Whether links can be made slow by this user.</summary>
    public static bool CanDelay => SlowLink.IsPossible;

    /// <summary>All hosts.</summary>
    public IReadOnlyList<MachineHost> Hosts => _hosts;

    /// <summary>A host, from 0.</summary>
    public MachineHost this[int index] => _hosts[index];

    /// <summary>This process's own address in the net: hosts reach its servers there, and it reaches all hosts.</summary>
    public IPAddress OwnAddress => _slot.Address(1);

    /// <summary>The name that all its namespaces, links and groups begin with.</summary>
    public string Name => _slot.Name;

    /// <summary>The folder of all namespaces.</summary>
    public static string Namespaces => NetworkNamespace.Folder;

    /// <summary>The file of the namespace that the bridge is in.</summary>
    public string SwitchNamespace => NetworkNamespace.PathOf(_slot.Switch);

    /// <summary>Makes a net, and takes away what crashed ones left.</summary>
    public static async Task<MachineNet> CreateAsync(int hosts)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(hosts, MostHosts);
        if (WhyNot is { } reason)
        {
            throw new PlatformNotSupportedException(reason);
        }
        await RemoveStaleAsync();
        var slot = NetSlot.Take();
        try
        {
            var net = new MachineNet(slot, hosts);
            await net.BuildAsync();
            return net;
        }
        catch
        {
            await RemoveAsync(slot);
            slot.Dispose();
            throw;
        }
    }

    /// <summary>Takes away what runs that crashed left here.</summary>
    public static async Task RemoveStaleAsync()
    {
        foreach (var stale in NetSlot.TakeStale())
        {
            using (stale)
            {
                await RemoveAsync(stale);
            }
        }
    }

    /// <summary>A power cut: silence at once, then no process of the host is left. Its files stay, as after the last write.</summary>
    public async Task KillAsync(MachineHost host)
    {
        await NetworkTools.IpAsync(_slot.Switch, $"link set {host.Port} down");
        await EndProcessesAsync(host.Name, host.Processes);
        Unhook(host);
        await NetworkTools.IpAsync(_slot.Switch, $"link del {host.Port}");
        NetworkNamespace.Remove(host.Namespace);
        host.IsOn = false;
    }

    /// <summary>Power is back: the same addresses, the faults of before, no process.</summary>
    public async Task PowerOnAsync(MachineHost host)
    {
        NetworkNamespace.Make(host.Namespace);
        await ConnectAsync(host);
        host.IsOn = true;
        await ApplyAsync(host);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            Unhook(host);
        }
        await RemoveAsync(_slot);
        _slot.Dispose();
    }

    private async Task BuildAsync()
    {
        foreach (var name in _hosts.Select(h => h.Namespace).Prepend(_slot.Switch))
        {
            NetworkNamespace.Make(name);
        }
        await NetworkTools.IpAsync(null,
            $"link add {_slot.Name} type veth peer name own netns {NetworkNamespace.PathOf(_slot.Switch)}",
            $"addr add {OwnAddress}/24 dev {_slot.Name}", $"link set {_slot.Name} addrgenmode none up");
        await NetworkTools.IpAsync(_slot.Switch, "link add bridge type bridge forward_delay 0 mcast_snooping 0",
            "link set bridge addrgenmode none up", "link set own master bridge addrgenmode none up");
        foreach (var host in _hosts)
        {
            await ConnectAsync(host);
        }
        await ApplyRulesAsync();
    }

    private async Task ConnectAsync(MachineHost host)
    {
        await NetworkTools.IpAsync(_slot.Switch,
            $"link add {host.Port} type veth peer name eth0 address {host.HardwareAddress} netns {NetworkNamespace.PathOf(host.Namespace)}",
            $"link set {host.Port} master bridge addrgenmode none up");
        await NetworkTools.IpAsync(host.Namespace, "link set lo up", $"addr add {host.Address}/24 dev eth0", "link set eth0 up");
    }

    private static async Task RemoveAsync(NetSlot slot)
    {
        var namespaces = slot.Namespaces().ToList();
        await EndProcessesAsync(slot.Name, () => [.. namespaces.SelectMany(NetworkNamespace.ProcessesIfAny).Union(ControlGroupTree.Processes(slot.Name))]);
        if (NetSlot.Links().Contains(slot.Name))
        {
            await NetworkTools.IpAsync(null, $"link del {slot.Name}");
        }
        namespaces.ForEach(NetworkNamespace.Remove);
        await UntilAsync($"Control groups of {slot.Name} are left.", () => ControlGroupTree.TryRemove(slot.Name));
        foreach (var folder in slot.TempFolders())
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Task EndProcessesAsync(string whose, Func<IReadOnlyList<int>> processes) => UntilAsync($"Processes of {whose} are left.", () =>
    {
        var left = processes();
        foreach (var pid in left)
        {
            Signals.Send(pid, Signals.Kill);
        }
        return left.Count == 0;
    });

    private static async Task UntilAsync(string otherwise, Func<bool> done)
    {
        for (var begin = Stopwatch.StartNew(); !done(); await Task.Delay(5))
        {
            if (begin.Elapsed > TimeSpan.FromSeconds(TeardownSeconds))
            {
                throw new TimeoutException(otherwise);
            }
        }
    }

    private MachineHost Mine(MachineHost host, [CallerArgumentExpression(nameof(host))] string? name = null) =>
        _hosts.Contains(host) ? host : throw new ArgumentException("A host of another net.", name);

    private static string? FindHindrance()
    {
        if (!Environment.IsPrivilegedProcess && !MayMakeNetworks())
        {
            return "Only root can make network namespaces, and an ordinary user in namespaces of his own: ./test --full enters them, or: tools/own-network dotnet test …";
        }
        if (NetworkTools.Needed.FirstOrDefault(p => NetworkTools.Find(p) is null) is { } missing)
        {
            return $"{missing} is not installed.";
        }
        using var probe = Process.Start(new ProcessStartInfo("unshare", ["--net", "--uts", "true"]) { RedirectStandardError = true })!;
        probe.WaitForExit();
        return probe.ExitCode == 0 ? null : $"This system grants no namespaces: {probe.StandardError.ReadToEnd().Trim()}";
    }

    // CAP_NET_ADMIN and CAP_SYS_ADMIN (capabilities(7)).
    private static bool MayMakeNetworks() => File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal)) is var line
        && ulong.Parse(line.AsSpan("CapEff:".Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) is var held
        && (held >> 12 & held >> 21 & 1) == 1;
}
