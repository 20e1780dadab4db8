using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Dashboard.Live;
using Ashlar.Monitoring;
using Ashlar.Testing;

namespace Ashlar.Dashboard.Tests;

/// <summary>A dashboard over a folder of its own: an agent that says what the test says, and metrics as an edge would write them.</summary>
internal sealed class DashboardRig : IAsyncDisposable
{
    public const string Token = "0123456789abcdefghijABCDEFGHIJ01";

    private readonly TempFolder _folder = new("ashlar-dash-");
    private readonly MetricsFile _metrics;
    private FakeAgent? _agent;
    private DashboardProcess? _process;

    private DashboardRig()
    {
        foreach (var name in new[] { "run", "logs", "metrics" })
        {
            Directory.CreateDirectory(Path.Combine(_folder.Path, name));
        }

        _metrics = MetricsFile.Create(Path.Combine(_folder.Path, "metrics", "rig.metrics"), 1);
        _metrics.Gauge(EdgeSeries.Connections);
        _metrics.Gauge(EdgeSeries.InFlight, "web");
        _metrics.Gauge(EdgeSeries.InFlight, "admin");
    }

    public string Folder => _folder.Path;

    public int Port { get; private set; }

    public string Url => $"http://127.0.0.1:{Port}/";

    public FakeAgent Agent => _agent!;

    public static async Task<DashboardRig> StartAsync(StatusReport? report = null, IPAddress? listen = null)
    {
        var rig = new DashboardRig();
        rig._agent = new FakeAgent(Path.Combine(rig.Folder, "run", "watch.sock"), report ?? Reports.Storefront());
        await rig.BeginAsync(0, listen);
        return rig;
    }

    /// <summary>Ends the dashboard and begins another at the same port.</summary>
    public Task BeginAgainAsync() => BeginAsync(Port, null);

    public async Task EndAsync()
    {
        await _process!.DisposeAsync();
        _process = null;
    }

    /// <summary>Requests that a service answered, each in so many microseconds.</summary>
    public void Serve(string service, int count, int micros = 4000, int failed = 0)
    {
        var slot = _metrics.Slot(0);
        slot.Add(_metrics.Counter(EdgeSeries.Requests + "2xx", service), count - failed);
        slot.Add(_metrics.Counter(EdgeSeries.Requests + "5xx", service), failed);
        for (var i = 0; i < count; i++)
        {
            slot.Record(_metrics.Histogram(EdgeSeries.Latency, service), micros + (i % 7 * micros / 3));
        }
    }

    /// <summary>A second of what data tiers and processes say, the more the larger the share.</summary>
    public void Engines(double share)
    {
        var slot = _metrics.Slot(0);
        void Count(string name, string subject, double amount) => slot.Add(_metrics.Counter(name, subject), (long)amount);
        void Level(string name, string subject, double value) => slot.Set(_metrics.Gauge(name, subject), (long)value);
        slot.Set(_metrics.Gauge(EdgeSeries.Connections), (long)(70 * share));
        Level(EdgeSeries.InFlight, "web", 4 * share);
        Count("database_transactions", "database.1", 210 * share);
        Level("database_connections", "database.1", 18);
        Level("database_lag_bytes", "database.2", 9_000 * share);
        foreach (var (engine, commands, hits) in new[] { ("queue.1", 40, 0), ("cache.1", 520, 480) })
        {
            Count("engine_commands", engine, commands * share);
            Count("engine_hits", engine, hits * share);
            Count("engine_misses", engine, hits * share / 14);
            Level("engine_memory_bytes", engine, 21_000_000);
        }

        foreach (var (instance, cpu) in new[] { ("edge.1", 60), ("web.1", 610), ("web.2", 540), ("admin.1", 20), ("worker.1", 90), ("database.1", 240), ("database.2", 45), ("queue.1", 20), ("cache.1", 55) })
        {
            Count(InstanceMetrics.Cpu, instance, cpu * share);
            Level(InstanceMetrics.Memory, instance, (cpu + 300) * 90_000);
            Level(InstanceMetrics.State, instance, (int)InstanceState.Healthy);
            Level(InstanceMetrics.CpuLimit, instance, instance.StartsWith("web", StringComparison.Ordinal) ? 1000 : 0);
        }
    }

    public void Write(string log, string text) => File.AppendAllText(Path.Combine(Folder, "logs", log + ".log"), text);

    /// <summary>A client that follows no redirect and keeps no cookie.</summary>
    public HttpClient Client(string? cookie = null)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(Url) };
        if (cookie is not null)
        {
            client.DefaultRequestHeaders.Add("Cookie", cookie);
        }

        return client;
    }

    /// <summary>Signs in and gives the cookie.</summary>
    public async Task<string> SignInAsync()
    {
        using var client = Client();
        using var answer = await client.SendAsync(SignIn(Token));
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        return answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    public HttpRequestMessage SignIn(string token, string? origin = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "dashboard/session")
        {
            Content = new StringContent(JsonSerializer.Serialize(new { token }), Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
        };
        request.Headers.Add("Origin", origin ?? Url.TrimEnd('/'));
        return request;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await EndAsync();
        }

        await Agent.DisposeAsync();
        _metrics.Dispose();
        _folder.Dispose();
    }

    private async Task BeginAsync(int port, IPAddress? listen)
    {
        _process = await DashboardProcess.StartAsync(
            new DashboardOptions("dashboard.1", Folder, port, Token, listen), Console.Error.WriteLine, TimeProvider.System);
        Port = _process.Port;
    }
}

/// <summary>Answers on a watch socket with whatever report the test has set last.</summary>
internal sealed class FakeAgent : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly List<FrameStream> _streams = [];
    private readonly FrameListener _listener;
    private readonly Task _accepting;

    public FakeAgent(string socket, StatusReport report)
    {
        Report = report;
        _listener = FrameListener.Listen(socket);
        _accepting = AcceptAsync();
    }

    public StatusReport Report { get; private set; }

    /// <summary>True: it takes questions and answers none, like one that is stopped.</summary>
    public bool Hangs { get; set; }

    /// <summary>What it says of the edges' caches.</summary>
    public AgentReply Cache { get; set; } = new(AgentReplyKinds.Error, Error: new Errors.AshlarError("ASH3080", "edge", "There is no cache.", ""));

    public async Task SayAsync(StatusReport report)
    {
        Report = report;
        FrameStream[] open;
        lock (_streams)
        {
            open = [.. _streams];
        }

        foreach (var stream in open)
        {
            await GiveAsync(stream);
        }
    }

    /// <summary>Ends like an agent that was killed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ending.IsCancellationRequested)
        {
            return;
        }

        await _ending.CancelAsync();
        _listener.Dispose();
        lock (_streams)
        {
            _streams.ForEach(stream => stream.Dispose());
        }

        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var stream = await _listener.AcceptAsync(_ending.Token);
                var asked = await stream.ReadAsync(WatchJson.Default.AgentRequest);
                if (asked?.Verb == "cache")
                {
                    Assert.Equal("stats", asked.Arguments.GetProperty("action").GetString());
                    await stream.SendAsync(Cache, WatchJson.Default.AgentReply);
                    stream.Dispose();
                    continue;
                }

                Assert.Equal("watch", asked?.Verb);
                lock (_streams)
                {
                    _streams.Add(stream);
                }

                await GiveAsync(stream);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or IOException)
        {
            // It ends.
        }
    }

    private async Task GiveAsync(FrameStream stream)
    {
        if (Hangs)
        {
            return;
        }

        try
        {
            await stream.SendAsync(
                new AgentReply(AgentReplyKinds.Data, Data: JsonSerializer.SerializeToElement(Report, WatchJson.Default.StatusReport)), WatchJson.Default.AgentReply);
        }
        catch (IOException)
        {
            // The dashboard asks only while a page is open: between two pages it has gone, and comes back.
            lock (_streams)
            {
                _streams.Remove(stream);
            }
        }
    }
}

/// <summary>Stacks to show.</summary>
internal static class Reports
{
    public static StatusReport Storefront(Func<InstanceReport, InstanceReport>? change = null) => new()
    {
        Stack = "storefront",
        Directory = "/srv/storefront",
        Release = "v12",
        Healthy = true,
        Urls = ["http://127.0.0.1:8080"],
        Agent = Instance("agent", 400),
        Tiers =
        [
            Tier("edge", Service("edge", [], change, Instance("edge.1", 500))),
            new TierReport("services",
            [
                Service("web", ["/"], change, Instance("web.1", 600, 31000), Instance("web.2", 601, 31001)),
                Service("admin", ["admin.storefront.test/"], change, Instance("admin.1", 602, 31002)),
                Service("worker", [], change, Instance("worker.1", 603)),
            ]),
            Tier("database", Service("database", [], change,
                Instance("database.1", 700, 31005) with { Role = "primary" },
                Instance("database.2", 701, 31006) with { Role = "replica", LagBytes = 0, LagSeconds = 0 })),
            Tier("queue", Service("queue", [], change, Instance("queue.1", 702, 31007))),
            Tier("cache", Service("cache", [], change, Instance("cache.1", 703, 31008))),
            Tier("dashboard", Service("dashboard", [], change, Instance("dashboard.1", 800, 31009))),
        ],
    };

    /// <summary>One with a service alone.</summary>
    public static StatusReport Small() => Storefront() with
    {
        Tiers = [Tier("edge", Service("edge", [], null, Instance("edge.1", 500))), Tier("services", Service("web", ["/"], null, Instance("web.1", 600, 31000)))],
    };

    public static InstanceReport Instance(string name, int pid, int port = 0) => new()
    {
        Name = name,
        State = InstanceState.Healthy,
        Release = "v12",
        Pids = [pid],
        Port = port,
        Started = DateTimeOffset.UtcNow.AddMinutes(-42),
        Cpu = 0.04,
        Memory = 48 << 20,
    };

    private static TierReport Tier(string name, ServiceReport service) => new(name, [service]);

    private static ServiceReport Service(string name, ImmutableArray<string> routes, Func<InstanceReport, InstanceReport>? change, params InstanceReport[] instances) =>
        new(name, instances.Length, false, routes, [.. instances.Select(i => change?.Invoke(i) ?? i)]);
}
