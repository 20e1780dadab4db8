using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ashlar.Bench;

/// <summary>
/// Answers over UDP from a zone of 1,000 names beside Knot and NSD, asked by dnsperf: queries a second, and CPU of the server a query. Ours is the whole
/// stack as <c>ashlar up</c> starts it, metrics included; all three have a thread or worker for each core and a socket for each of these.
/// </summary>
internal static partial class DnsBenchmark
{
    private const string Zone = "bench.test";
    private const int Names = 1000;

    public static async Task<Outcome> RunAsync(BenchContext context)
    {
        var (rounds, seconds) = context.Quick ? (3, 3) : (9, 6);
        var workers = Math.Clamp(Environment.ProcessorCount, 1, 8);
        var file = context.Write($"{Zone}.zone", MakeZone());
        var queries = context.Write("queries", string.Concat(Enumerable.Range(0, Names).Select(i => $"n{i}.{Zone} A\n").OrderBy(line => line.GetHashCode(StringComparison.Ordinal))));
        await using var stack = await OurStack.StartAsync(context, file);
        Server[] servers =
        [
            new("ashlar", stack.Port, stack.Pid),
            await KnotAsync(context, file, workers),
            await NsdAsync(context, file, workers),
        ];
        foreach (var server in servers)
        {
            await AskAsync(server, queries, context.Quick ? 4 : 8);
        }

        for (var round = 0; round < rounds; round++)
        {
            foreach (var server in servers.Skip(round % servers.Length).Concat(servers.Take(round % servers.Length)))
            {
                var before = CpuSeconds(server.Pid);
                var (answered, rate, lost) = await AskAsync(server, queries, seconds);
                server.Cpu.Add((CpuSeconds(server.Pid) - before) / answered * 1e6);
                server.Rate.Add(rate);
                server.Lost += lost;
            }
        }

        Console.WriteLine($"{Names:N0} names over UDP, {workers} threads or workers, dnsperf with 16 clients and at most 200 queries on their way, {rounds} interleaved rounds of {seconds} s; median (range)");
        Console.WriteLine($"{"",-10}{"queries/s",30}{"CPU µs/query",22}{"lost",10}");
        var samples = new Dictionary<string, double[]>();
        foreach (var server in servers)
        {
            Console.WriteLine($"{server.Name,-10}{Measure.Range(server.Rate, "N0"),30}{Measure.Range(server.Cpu, "N2"),22}{server.Lost,10}");
            samples[$"{server.Name}.qps"] = [.. server.Rate];
            samples[$"{server.Name}.cpu"] = [.. server.Cpu];
        }

        // Ratios are taken within each round, against the better of that round.
        var pairs = new Dictionary<string, double>
        {
            ["dns-udp-qps"] = Measure.Median(Enumerable.Range(0, rounds).Select(r => servers[0].Rate[r] / servers.Skip(1).Max(server => server.Rate[r]))),
            ["dns-udp-cpu"] = Measure.Median(Enumerable.Range(0, rounds).Select(r => servers[0].Cpu[r] / servers.Skip(1).Min(server => server.Cpu[r]))),
        };
        return new Outcome(pairs, samples, new Dictionary<string, string>
        {
            ["knot"] = await BenchContext.VersionAsync("knotd", "-V"),
            ["nsd"] = await BenchContext.VersionAsync("nsd", "-v"),
        });
    }

    private static string MakeZone() => $"$ORIGIN {Zone}.\n$TTL 3600\n@ SOA ns1 root 1 2h 1h 1w 10m\n@ NS ns1\nns1 A 192.0.2.1\n"
        + string.Concat(Enumerable.Range(0, Names).Select(i => $"n{i} A 10.0.{i / 250}.{i % 250}\n"));

    private static async Task<Server> KnotAsync(BenchContext context, string file, int workers)
    {
        var port = BenchContext.FreePort();
        var folder = Directory.CreateDirectory(Path.Combine(context.Folder, "knot")).FullName;
        var text = $"""
            server:
                listen: 127.0.0.1@{port}
                rundir: {folder}
                udp-workers: {workers}
                tcp-workers: 1
                background-workers: 1
                tcp-reuseport: off
            log:
              - target: stderr
                any: error
            database:
                storage: {folder}
            zone:
              - domain: {Zone}
                file: {file}
                zonefile-sync: -1
            """;
        return new Server("knot", port, (await context.StartAsync(port, "knotd", "-c", context.Write("knot.conf", text + "\n"))).Id);
    }

    private static async Task<Server> NsdAsync(BenchContext context, string file, int workers)
    {
        var port = BenchContext.FreePort();
        var folder = Directory.CreateDirectory(Path.Combine(context.Folder, "nsd")).FullName;
        var text = $"""
            server:
                ip-address: 127.0.0.1@{port}
                server-count: {workers}
                reuseport: yes
                username: ""
                chroot: ""
                zonesdir: {context.Folder}
                pidfile: {folder}/nsd.pid
                zonelistfile: {folder}/zone.list
                xfrdfile: {folder}/xfrd.state
                xfrdir: {folder}
                rrl-ratelimit: 0
                verbosity: 0
            remote-control:
                control-enable: no
            zone:
                name: {Zone}
                zonefile: {file}
            """;
        return new Server("nsd", port, (await context.StartAsync(port, "nsd", "-d", "-c", context.Write("nsd.conf", text + "\n"))).Id);
    }

    private static async Task<(double Answered, double Rate, int Lost)> AskAsync(Server server, string queries, int seconds)
    {
        var text = await BenchContext.RunAsync("dnsperf", "-s", "127.0.0.1", "-p", $"{server.Port}", "-d", queries, "-l", $"{seconds}", "-c", "16", "-T", "1", "-q", "200", "-t", "2");
        double Number(string name) => double.Parse(Regex.Match(text, name + @":\s+([\d.]+)", RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value, CultureInfo.InvariantCulture);
        var (sent, answered) = (Number("Queries sent"), Number("Queries completed"));
        return text.Contains("NOERROR", StringComparison.Ordinal) && !text.Contains("REFUSED", StringComparison.Ordinal) ? (answered, Number("Queries per second"), (int)(sent - answered))
            : throw new InvalidOperationException($"{server.Name} does not answer from its zone:\n{text}");
    }

    // NSD's servers are children of a child.
    private static double CpuSeconds(int pid) => Measure.CpuSeconds(pid) + Children(pid).Sum(child => Children(child).Sum(Measure.CpuSeconds));

    private static IEnumerable<int> Children(int pid)
    {
        foreach (var folder in Directory.EnumerateDirectories($"/proc/{pid}/task"))
        {
            var path = Path.Combine(folder, "children");
            foreach (var child in File.Exists(path) ? File.ReadAllText(path).Split(' ', StringSplitOptions.RemoveEmptyEntries) : [])
            {
                yield return int.Parse(child, CultureInfo.InvariantCulture);
            }
        }
    }

    private sealed record Server(string Name, int Port, int Pid)
    {
        public List<double> Rate { get; } = [];

        public List<double> Cpu { get; } = [];

        public int Lost { get; set; }
    }

    private sealed record OurStack(BenchContext Context, string Folder, int Port, int Pid) : IAsyncDisposable
    {
        public static async Task<OurStack> StartAsync(BenchContext context, string file)
        {
            var folder = Directory.CreateDirectory(Path.Combine(context.Folder, "stack")).FullName;
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
            File.Copy(file, Path.Combine(folder, "bench.zone"));
            var port = BenchContext.FreePort();
            context.Write("stack/ashlar.yaml", $$$"""
                name: bench
                services: {idle: {run: sleep 100000}}
                dashboard: off
                edge: {listen: "127.0.0.1:{{{BenchContext.FreePort()}}}"}
                dns:
                  listen: 127.0.0.1:{{{port}}}
                  resolvers: off
                  zones: { {{{Zone}}}: {file: bench.zone} }
                """);
            await BenchContext.RunAsync(context.Ashlar, "up", "--detach", "--stack", folder);
            using var report = JsonDocument.Parse(await BenchContext.RunAsync(context.Ashlar, "ps", "--json", "--stack", folder));
            var pid = report.RootElement.GetProperty("tiers").EnumerateArray().First(tier => tier.GetProperty("name").GetString() == "dns")
                .GetProperty("services")[0].GetProperty("instances")[0].GetProperty("pids")[0].GetInt32();
            return new OurStack(context, folder, port, pid);
        }

        public async ValueTask DisposeAsync() => await BenchContext.RunAsync(Context.Ashlar, "down", "--now", "--stack", Folder);
    }
}
