using System.Globalization;
using Ashlar.Testing.Machines;

namespace Ashlar.Bench;

/// <summary>
/// One service on 1, 2 and 3 machines of equal CPU shares, beside the same app behind one HAProxy; one machine's loss under load; what a fleet costs
/// while idle; and a round of a fleet of 100. The machines are network namespaces with control groups.
/// </summary>
internal static class FleetBenchmark
{
    private const double Share = 0.4;
    private const int Connections = 16;
    private const string Path = "/spin?us=4000";
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(20);
    private static readonly int[] s_counts = [1, 2, 3];

    public static async Task<Outcome> RunAsync(BenchContext context)
    {
        var samples = new Dictionary<string, double[]>();
        var pairs = new Dictionary<string, double>();
        Reconcile(context, samples);
        Console.WriteLine($"Load of the machine at the beginning: {File.ReadAllText("/proc/loadavg").Trim()}");
        if (MachineNet.WhyNot is { } reason)
        {
            throw new InvalidOperationException(reason);
        }

        await using var net = await MachineNet.CreateAsync(11);
        BenchFleet[] fleets =
        [
            await BenchFleet.UpAsync(context, net[0]), await BenchFleet.UpAsync(context, net[1], net[2]), await BenchFleet.UpAsync(context, net[3], net[4], net[5]),
        ];
        await IdleAsync(context, fleets[1], samples);
        var haproxy = await StartHaproxyAsync(context, net);
        await ScaleAsync(context, net, fleets, haproxy, samples, pairs);
        await LossAsync(net, fleets[2], samples);
        return new Outcome(pairs, samples, new Dictionary<string, string>
        {
            ["haproxy"] = await BenchContext.VersionAsync("haproxy", "-v"),
            ["etcd"] = await BenchContext.VersionAsync("etcd", "--version"),
            ["load"] = File.ReadAllText("/proc/loadavg").Trim(),
        });
    }

    /// <summary>The part that needs no machines.</summary>
    public static Task<Outcome> ReconcileAsync(BenchContext context)
    {
        var samples = new Dictionary<string, double[]>();
        Reconcile(context, samples);
        return Task.FromResult(new Outcome(new Dictionary<string, double>(), samples, new Dictionary<string, string>()));
    }

    private static void Reconcile(BenchContext context, Dictionary<string, double[]> samples)
    {
        var (placement, one, all) = ReconcileRound.Run(context.Quick ? 20 : 100);
        samples["reconcile.placement-ms"] = placement;
        samples["reconcile.one-machine-ms"] = one;
        samples["reconcile.all-machines-ms"] = all;
        Console.WriteLine("100 machines, 5,000 instances, one machine lost; ms, median (range)");
        Console.WriteLine($"  placement of all {Measure.Range(placement, "N1")}, one machine's part {Measure.Range(one, "N2")}, the parts of all 100 {Measure.Range(all, "N1")}");
    }

    private static async Task IdleAsync(BenchContext context, BenchFleet fleet, Dictionary<string, double[]> samples)
    {
        var (first, second) = (fleet.Machines[0], fleet.Machines[1]);
        var etcd = first.Host.Processes().First(pid => File.ReadAllText($"/proc/{pid}/comm").Trim() == "etcd");
        int[] agents = [await first.PidAsync("agent"), await second.PidAsync("agent")];
        await Task.Delay(TimeSpan.FromMinutes(1)); // What comes every half minute has come once, and is compiled.
        var shares = await Measure.CpuSharesAsync(TimeSpan.FromSeconds(context.Quick ? 60 : 180), [.. agents, etcd]);
        samples["idle.percent"] = [.. shares.Select(share => share * 100)];
        Console.WriteLine("Two machines, idle, % of a core");
        Console.WriteLine(FormattableString.Invariant($"  agent that leads {shares[0]:P2}, the other agent {shares[1]:P2}, etcd {shares[2]:P2}"));
    }

    private static async Task ScaleAsync(
        BenchContext context, MachineNet net, BenchFleet[] fleets, string[] haproxy, Dictionary<string, double[]> samples, Dictionary<string, double> pairs)
    {
        var (rounds, seconds) = context.Quick ? (3, 5) : (9, 8);
        var client = net[10];
        string[][] ours = [.. fleets.Select(fleet => fleet.Urls.ToArray())];
        string[][] theirs = [.. haproxy.Select(url => new[] { url })];
        (string Name, string[][] Urls)[] sides = [("ashlar", ours), ("haproxy", theirs)];
        foreach (var urls in sides.SelectMany(side => side.Urls))
        {
            await LoadAsync(client, urls, 3 * Connections, 4); // Compiled before the shares are small.
        }

        foreach (var host in net.Hosts.SkipLast(1))
        {
            host.CpuShare(Share, s_period);
        }

        client.CpuShare(0.5);
        var rates = sides.ToDictionary(side => side.Name, _ => s_counts.Select(_ => new List<double>()).ToArray());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var count in s_counts)
            {
                foreach (var (name, all) in round % 2 == 0 ? sides : sides.Reverse())
                {
                    rates[name][count - 1].Add(await LoadAsync(client, all[count - 1], count * Connections, seconds));
                }
            }
        }

        Console.WriteLine($"One service that works for 4 ms a request, {Share:P0} of a core a machine, {rounds} interleaved rounds of {seconds} s; requests/s, median (range), share of linear");
        Console.WriteLine($"{"",-10}{"1 machine",22}{"2 machines",30}{"3 machines",30}");
        foreach (var (name, rate) in rates)
        {
            double Linear(int count) => Measure.Median(Enumerable.Range(0, rounds).Select(r => rate[count - 1][r] / (count * rate[0][r])));
            Console.WriteLine($"{name,-10}{Measure.Range(rate[0], "N0"),22}{$"{Measure.Range(rate[1], "N0")} {Linear(2):N3}",30}{$"{Measure.Range(rate[2], "N0")} {Linear(3):N3}",30}");
            foreach (var count in s_counts)
            {
                samples[$"{name}.rps.{count}"] = [.. rate[count - 1]];
            }

            var prefix = name == "ashlar" ? "machines" : $"{name}-machines";
            pairs[$"{prefix}-2-linear"] = Linear(2);
            pairs[$"{prefix}-3-linear"] = Linear(3);
        }
    }

    private static async Task LossAsync(MachineNet net, BenchFleet fleet, Dictionary<string, double[]> samples)
    {
        foreach (var machine in fleet.Machines)
        {
            machine.Host.CpuShare(0.5);
        }

        var seen = await LossUnderLoad.RunAsync(net, net[10], fleet);
        samples["loss.requests-inflight-later-seconds-waited-slowest-replaced"] = [seen.Requests, seen.InFlight, seen.Later, seen.UntilNoneFails, seen.Waited, seen.Slowest, seen.Replaced];
        Console.WriteLine("One of three machines loses power under load; clients of the other two");
        Console.WriteLine(FormattableString.Invariant(
            $"  {seen.Requests} requests: {seen.InFlight} failed that were under way, {seen.Later} that began later; the last {seen.UntilNoneFails:N1} s after; {seen.Waited} good ones took longer than a second, the slowest {seen.Slowest:N1} s; replaced after {seen.Replaced:N1} s"));
    }

    /// <summary>Asks all addresses at once, the connections shared among them; requests a second together.</summary>
    private static async Task<double> LoadAsync(MachineHost client, string[] urls, int connections, int seconds)
    {
        var runs = await Task.WhenAll(urls.Select(async url =>
        {
            var result = await client.ExecAsync("wrk", ["-t1", $"-c{connections / urls.Length}", $"-d{seconds}s", "--latency", url + Path]);
            return result.ExitCode == 0 ? Measure.ReadWrk(result.Output) : throw new InvalidOperationException($"wrk: {result}");
        }));
        return runs.Sum(run => run.Errors) is 0 ? runs.Sum(run => run.Requests / run.Seconds) : throw new InvalidOperationException($"{urls[0]}: {runs.Sum(run => run.Errors)} requests failed");
    }

    /// <summary>The app on three hosts and one HAProxy on a fourth, with an address for each count of hosts.</summary>
    private static async Task<string[]> StartHaproxyAsync(BenchContext context, MachineNet net)
    {
        MachineHost[] apps = [net[7], net[8], net[9]];
        foreach (var app in apps)
        {
            await app.Run(context.TestApp, [], environment: new Dictionary<string, string?> { ["PORT"] = "9000", ["HOST"] = app.Address.ToString() })
                .WaitForOutputAsync("listens on", timeoutSeconds: 60);
        }

        var proxies = s_counts.Select(count => $"""
            listen n{count}
              bind {net[6].Address}:{8000 + count}
              balance leastconn
              http-reuse always
            {string.Join('\n', apps.Take(count).Select((app, i) => $"  server s{i} {app.Address}:9000"))}
            """);
        var file = context.Write("fleet-haproxy.cfg", $"""
            global
              nbthread 2
            defaults
              mode http
              option forwardfor
              timeout client 1m
              timeout server 1m
              timeout connect 5s
            {string.Join('\n', proxies)}

            """);
        net[6].Run("haproxy", ["-db", "-f", file]);
        string[] urls = [.. s_counts.Select(count => string.Create(CultureInfo.InvariantCulture, $"http://{net[6].Address}:{8000 + count}"))];
        await BenchFleet.UntilAsync(async () => (await net[10].ExecAsync("wrk", ["-t1", "-c1", "-d1s", "--latency", urls[^1] + Path])) is { ExitCode: 0 } said
            && Measure.ReadWrk(said.Output) is { Errors: 0, Requests: > 0 });
        return urls;
    }
}
