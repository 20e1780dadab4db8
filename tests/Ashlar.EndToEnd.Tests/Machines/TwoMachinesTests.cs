using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ashlar.LoadClient;
using Ashlar.Testing;
using Ashlar.Testing.Machines;
using static Ashlar.EndToEnd.Tests.Machines.FleetSteps;

namespace Ashlar.EndToEnd.Tests.Machines;

/// <summary>What the tiers do on one machine they do on two: database, queues, caches, pages, jobs, the clock, the dashboard, and releases under load.</summary>
[Trait("Length", "Full")]
public sealed partial class TwoMachinesTests(StorefrontOnTwoMachines shop) : IClassFixture<StorefrontOnTwoMachines>
{
    // Where the back office asks who one is.
    private static readonly AuthenticationHeaderValue Staff = new("Basic", Convert.ToBase64String("mason:chisel"u8));

    private StackMachine[] Both => [shop.First, shop.Second];

    [MachinesFact]
    public async Task Pages_come_from_instances_of_both_machines_and_what_is_bought_at_one_is_packed_and_seen_at_the_other()
    {
        var where = await WhereAsync();
        Assert.NotEqual(where["database.1"], where["database.2"]);
        Assert.Equal(["m1", "m2"], new[] { where["web.1"], where["web.2"] }.Order());
        foreach (var (here, there) in new[] { (shop.First, shop.Second), (shop.Second, shop.First) })
        {
            using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri($"http://{here.Edge}"), Timeout = TimeSpan.FromSeconds(30) };
            client.DefaultRequestHeaders.Host = "storefront.test";
            var served = new HashSet<string>(StringComparer.Ordinal);
            await UntilAsync(Soon, async () =>
            {
                // A lone visitor is served where he came; of several at once the other machine takes its share.
                var pages = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.GetStringAsync(new Uri("/", UriKind.Relative))));
                served.UnionWith(pages.Select(text => Served().Match(text).Groups[1].Value));
                return served.Count == 2;
            });

            // An order goes to the primary, by the queue to the worker, and back.
            using var cart = await client.PostAsync(new Uri("/cart/1", UriKind.Relative), null);
            using var bought = await client.PostAsync(new Uri("/checkout", UriKind.Relative), null);
            var order = Thanks().Match(await bought.Content.ReadAsStringAsync()).Groups[1].Value;
            Assert.NotEqual("", order);
            await UntilAsync(Soon, async () =>
            {
                using var question = new HttpRequestMessage(HttpMethod.Get, $"http://{there.Edge}/") { Headers = { Host = "admin.localhost", Authorization = Staff } };
                using var answer = await client.SendAsync(question);
                return (await answer.Content.ReadAsStringAsync()).Contains($"<tr><td>{order}<td>packed<td>", StringComparison.Ordinal);
            });
        }
    }

    [MachinesFact]
    public async Task Engines_of_the_other_machine_are_used_by_the_same_addresses_as_if_they_were_here()
    {
        var where = await WhereAsync();
        Assert.All(new[] { "cache.1", "queue.1" }, engine => Assert.Equal("m2", where.GetValueOrDefault(engine)));
        foreach (var (machine, value) in new[] { (shop.First, "one"), (shop.Second, "two") })
        {
            foreach (var variable in new[] { "REDIS_URL", "REDIS_QUEUE_URL" })
            {
                var url = (await InFolderAsync(machine, "run", "--", "printenv", variable)).Trim();
                Assert.Equal("OK", (await machine.Host.ExecAsync("redis-cli", ["--no-auth-warning", "-u", url, "set", "machines", value])).Output.Trim());
                var other = machine == shop.First ? shop.Second : shop.First;
                Assert.Equal(value, (await other.Host.ExecAsync("redis-cli", ["--no-auth-warning", "-u", url, "get", "machines"])).Output.Trim());
            }
        }

    }

    [MachinesFact]
    public async Task Jobs_of_either_machine_are_done_once_and_a_schedule_fires_once_whoever_looks_at_the_clock()
    {
        const int Each = 20;
        foreach (var machine in Both)
        {
            await QueryAsync(machine, $"select ashlar.enqueue('marks', to_jsonb('{machine.Host.Name}-' || n)) from generate_series(1, {Each}) n; select ashlar.enqueue('pushes') from generate_series(1, {Each})");
        }

        foreach (var machine in Both)
        {
            // The schedule's jobs come into the first queue too.
            await UntilAsync(Soon * 2, async () => (await QueuesAsync(machine)) is { Length: >= 2 } queues && queues.All(queue => queue is { Ready: 0, InFlight: 0 }) && queues.All(queue => queue.Done >= 2 * Each));
            Assert.All(await QueuesAsync(machine), queue => Assert.True(queue is { Dead: 0, Retries: 0 }, $"{queue}"));
        }

        Assert.Equal($"{2 * Each} {2 * Each}", await QueryAsync(shop.Second, "select count(*) || ' ' || count(distinct what) from marks where what not in ('\"tick\"', '\"release\"')"));
        Assert.NotEqual("0", await QueryAsync(shop.First, "select count(*) from marks where what = '\"release\"'"));

        // It has begun with the stack; what it fired is done in that minute.
        await UntilAsync(Soon * 2, async () => await TicksAsync() is not "0 0");
        Assert.Matches(@"^(\d+) \1$", await TicksAsync());
        Task<string> TicksAsync() => QueryAsync(shop.First, "select count(*) || ' ' || count(distinct date_trunc('minute', at)) from marks where what = '\"tick\"'");
    }

    [MachinesFact]
    public async Task The_dashboard_shows_both_machines_from_either()
    {
        foreach (var machine in Both)
        {
            using var told = JsonDocument.Parse(await machine.DoAsync("dashboard", "--json"));
            var address = new Uri(told.RootElement.GetProperty("url").GetString()!);
            using var client = machine.Host.CreateHttpClient();
            client.BaseAddress = address;
            using var signIn = new HttpRequestMessage(HttpMethod.Post, "/dashboard/session") { Content = JsonContent.Create(new { token = address.Fragment["#token=".Length..] }), Headers = { { "Origin", address.GetLeftPart(UriPartial.Authority) } } };
            using var signedIn = await client.SendAsync(signIn);
            Assert.True(signedIn.IsSuccessStatusCode, $"{machine.Host}: {(int)signedIn.StatusCode} {await signedIn.Content.ReadAsStringAsync()}");
            await using var live = await client.GetStreamAsync(new Uri("/dashboard/live", UriKind.Relative));
            using var lines = new StreamReader(live);
            await UntilAsync(Soon, async () => await lines.ReadLineAsync() is { } seen
                && new[] { "m1", "m2" }.All(name => Instance("web.[12]", name).IsMatch(seen)) && Instance("queue.1", "m2").IsMatch(seen));
        }

        static Regex Instance(string name, string machine) => new($$"""
            "name":"{{name}}","machine":"{{machine}}"
            """.Trim(), RegexOptions.None, TimeSpan.FromSeconds(1));
    }

    [MachinesFact]
    public async Task Config_vars_releases_an_engine_that_moves_and_new_edges_fail_no_request_at_either_edge()
    {
        using var stop = new CancellationTokenSource();
        var load = Both.Select(machine => new LoadRunner(machine.Edge, new LoadMix { Gets = 60, NewConnections = 10, Posts = 6, EventStreams = 1, WebSockets = 1 }, StorefrontOnTwoMachines.RigHost)).ToArray();
        var running = load.Select(runner => runner.RunAsync(stop.Token)).ToArray();
        var log = new List<string>();
        await DoAsync("config set", () => shop.Second.AshlarAsync("config", "set", "RELEASED=1"));

        // A release with its release command, and with an engine that goes to the other machine.
        await MemcachedAnswersAsync("m1");
        await DoAsync("up", () => shop.ChangeAsync(StorefrontOnTwoMachines.MoveMemcached));
        await MemcachedAnswersAsync("m2");
        await DoAsync("restart edge", () => shop.First.AshlarAsync("restart", "edge"));
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(running), report => Assert.True(report.Failed == 0 && report.Requests.Values.Sum() > 0, $"{report}\n{string.Join('\n', log)}"));

        async Task DoAsync(string name, Func<Task<ProgramResult>> order)
        {
            var before = load.Sum(runner => runner.Failed);
            var result = await order();
            log.Add($"{name}: exit {result.ExitCode}, {load.Sum(runner => runner.Failed) - before} failed");
            Assert.True(result.ExitCode == 0, $"{result}\n{string.Join('\n', log)}\n{shop.First.AgentLog()}\n--\n{shop.Second.AgentLog()}");
        }
    }

    private async Task MemcachedAnswersAsync(string where)
    {
        Assert.Equal(where, (await WhereAsync())["memcached.1"]);
        foreach (var machine in Both)
        {
            var server = (await InFolderAsync(machine, "run", "--", "printenv", "MEMCACHED_SERVERS")).Trim().Split(':');
            using var socket = machine.Host.OpenSocket();
            await socket.ConnectAsync(IPAddress.Parse(server[0]), int.Parse(server[1]));
            await socket.SendAsync("version\r\n"u8.ToArray());
            var answer = new byte[64];
            Assert.StartsWith("VERSION ", System.Text.Encoding.ASCII.GetString(answer, 0, await socket.ReceiveAsync(answer)), StringComparison.Ordinal);
        }
    }

    private static async Task<string> QueryAsync(StackMachine machine, string sql)
    {
        var url = (await InFolderAsync(machine, "run", "--", "printenv", "DATABASE_URL")).Trim();
        var result = await machine.Host.ExecAsync("psql", ["-qXAt", "-v", "ON_ERROR_STOP=1", url, "-c", sql]);
        return result.ExitCode == 0 ? result.Output.Trim() : throw new InvalidOperationException($"{machine.Host}: {result}");
    }

    private static async Task<Queue[]> QueuesAsync(StackMachine machine) =>
        [.. JsonSerializer.Deserialize<Queue[]>(await machine.DoAsync("jobs", "--json"), JsonSerializerOptions.Web)!.Where(queue => queue.Name is "marks" or "pushes")];

    private async Task<Dictionary<string, string>> WhereAsync()
    {
        using var report = JsonDocument.Parse(await shop.First.DoAsync("ps", "--json"));
        return report.RootElement.GetProperty("tiers").EnumerateArray().SelectMany(tier => tier.GetProperty("services").EnumerateArray())
            .SelectMany(service => service.GetProperty("instances").EnumerateArray())
            .DistinctBy(instance => instance.GetProperty("name").GetString()!)
            .ToDictionary(instance => instance.GetProperty("name").GetString()!, instance => instance.GetProperty("machine").GetString()!);
    }

    [GeneratedRegex(@"<footer>served by (web\.[12])")]
    private static partial Regex Served();

    [GeneratedRegex(@"<h1>Thank you</h1><p>Order (\d+) is placed")]
    private static partial Regex Thanks();

    private sealed record Queue([property: System.Text.Json.Serialization.JsonPropertyName("queue")] string Name, long Ready, long InFlight, long Retries, long Dead, long Done);
}
