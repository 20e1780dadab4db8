using System.Globalization;

namespace Ashlar.Testing.Machines;

/// <content>What goes wrong between hosts.</content>
public sealed partial class MachineNet
{
    private readonly HashSet<(string From, string To)> _cuts = [];

    /// <summary>What the host sends comes later by this; answers to it do not, so a round trip grows by this once.</summary>
    /// <param name="delay">Zero ends it.</param>
    /// <param name="jitter">By how much it varies up and down; packets keep their order.</param>
    public Task DelayAsync(MachineHost host, TimeSpan delay, TimeSpan jitter = default) => ChangeAsync(host, host.Faults with { Delay = delay, Jitter = jitter });

    /// <summary>So many percent of the packets that the host sends are lost, whoever they are for.</summary>
    public async Task LossAsync(MachineHost host, double percent)
    {
        Mine(host).Faults = host.Faults with { Loss = (int)Math.Round(percent * 100) };
        await ApplyRulesAsync();
    }

    /// <summary>The link carries so many bits per second, each way; null: as many as can be.</summary>
    public Task RateAsync(MachineHost host, long? bitsPerSecond) => ChangeAsync(host, host.Faults with { Rate = bitsPerSecond });

    /// <summary>Neither hears the other. Like every cut without a word: connections hang, none is refused.</summary>
    public Task PartitionAsync(MachineHost a, MachineHost b) => CutAsync((Mine(a).Port, Mine(b).Port), (b.Port, a.Port));

    /// <summary>What one sends never comes to the other; the other way it does.</summary>
    public Task PartitionOneWayAsync(MachineHost from, MachineHost to) => CutAsync((Mine(from).Port, Mine(to).Port));

    /// <summary>No one hears the host and it hears no one, this process neither (but sockets and programs on the host work).</summary>
    public Task IsolateAsync(MachineHost host) =>
        CutAsync([.. _hosts.Select(h => h.Port).Append("own").Where(p => p != Mine(host).Port).SelectMany(p => new[] { (host.Port, p), (p, host.Port) })]);

    /// <summary>The net is whole again: no cut, loss, delay or limit. Hosts that are off stay off, CPU shares stay.</summary>
    public async Task HealAsync()
    {
        _cuts.Clear();
        foreach (var host in _hosts)
        {
            host.Faults = new HostFaults();
            await ApplyAsync(host);
        }
        await ApplyRulesAsync();
    }

    private Task CutAsync(params (string From, string To)[] cuts)
    {
        _cuts.UnionWith(cuts);
        return ApplyRulesAsync();
    }

    private Task ChangeAsync(MachineHost host, HostFaults faults)
    {
        Mine(host).Faults = faults;
        return ApplyAsync(host);
    }

    private async Task ApplyAsync(MachineHost host)
    {
        if (!host.IsOn)
        {
            return; // when it is switched on
        }
        await ShapeAsync(_slot.Switch, host.Port, host.Faults.Rate);
        await ShapeAsync(host.Namespace, "eth0", host.Faults.Rate);
        if (host.Faults is { Delay.Ticks: 0, Jitter.Ticks: 0 })
        {
            if (host.SlowLink is not null)
            {
                Unhook(host);
                await NetworkTools.IpAsync(_slot.Switch, $"link set {host.Port} master bridge");
            }
            return;
        }
        if (host.SlowLink is null)
        {
            host.SlowLink = SlowLink.Open(_slot.Switch, host.Port);
            var tap = SlowLink.TapOf(host.Port);
            await NetworkTools.IpAsync(_slot.Switch, $"link set {host.Port} nomaster", $"link set {tap} master bridge addrgenmode none up");
            host.SlowLink.Start();
        }
        (host.SlowLink.Delay, host.SlowLink.Jitter) = (host.Faults.Delay, host.Faults.Jitter);
    }

    private static void Unhook(MachineHost host)
    {
        host.SlowLink?.Dispose();
        host.SlowLink = null;
    }

    private static Task ShapeAsync(string inside, string link, long? rate) => NetworkTools.TcAsync(inside, rate is { } bits
        ? string.Create(CultureInfo.InvariantCulture, $"qdisc replace dev {link} root tbf rate {bits}bit burst {Math.Max(16_000, bits / 8 / 250)} latency 100ms")
        : $"qdisc replace dev {link} root noqueue");

    // Only IP is lost, so that neighbours stay known: who sends into a cut waits, as for a machine behind a router.
    private Task ApplyRulesAsync()
    {
        var rules = _cuts.Select(cut => $"ether type {{ip, ip6}} iifname {Names(cut.From)} oifname {Names(cut.To)} drop")
            .Concat(_hosts.Where(h => h.Faults.Loss > 0).Select(h => $"ether type {{ip, ip6}} iifname {Names(h.Port)} numgen random mod 10000 < {h.Faults.Loss} drop"));
        return NetworkTools.NftAsync(_slot.Switch, $$"""
            table bridge faults
            delete table bridge faults
            table bridge faults {
              chain forward {
                type filter hook forward priority 0; policy accept;
                {{string.Join("\n    ", rules)}}
              }
            }

            """);

        static string Names(string port) => $"{{\"{port}\", \"{SlowLink.TapOf(port)}\"}}";
    }
}
