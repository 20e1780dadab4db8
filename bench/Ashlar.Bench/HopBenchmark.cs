using Ashlar.Testing;

namespace Ashlar.Bench;

/// <summary>
/// What a hop between machines adds to a proxied request of 1 KiB with keep-alive: CPU µs of both proxies over mutual TLS, less that
/// of one proxy without it; beside nginx, which does the same by <c>proxy_pass https</c> to another nginx. The data plane alone, without agent.
/// </summary>
internal static class HopBenchmark
{
    private const int Connections = 64;

    public static async Task<Outcome> RunAsync(BenchContext context)
    {
        var (rounds, seconds) = context.Quick ? (3, 3) : (9, 6);
        using var authority = new TestAuthority();
        var east = authority.Issue(Path.Combine(context.Folder, "east"), "east");
        var west = authority.Issue(Path.Combine(context.Folder, "west"), "west");
        var app = BenchContext.FreePort();
        context.Write("www/index.html", new string('x', 1023) + "\n");
        Directory.CreateDirectory(Path.Combine(context.Folder, "tmp"));
        await context.StartAsync(app, "nginx", "-p", context.Folder, "-c", context.Write("app.conf", App(context.Folder, app)));

        var ours = new Chain("ashlar", await StartOursAsync(context, app, east, west));
        var theirs = new Chain("nginx", await StartNginxAsync(context, app, east, west));
        Chain[] chains = [ours, theirs];
        foreach (var port in chains.SelectMany(static chain => new[] { chain.Paths.Direct.Port, chain.Paths.Hop.Port }))
        {
            await Measure.WrkAsync($"http://127.0.0.1:{port}/index.html", Connections, context.Quick ? 4 : 8);
        }

        for (var round = 0; round < rounds; round++)
        {
            foreach (var chain in round % 2 == 0 ? chains : [theirs, ours])
            {
                var direct = await CostAsync(chain.Paths.Direct, seconds);
                var hop = await CostAsync(chain.Paths.Hop, seconds);
                chain.Direct.Add(direct.Cpu);
                chain.Added.Add(hop.Cpu - direct.Cpu);
                chain.Rate.Add(hop.Rate);
            }
        }

        Console.WriteLine($"A hop over mutual TLS, 1 KiB, keep-alive, {Connections} connections, {rounds} interleaved rounds of {seconds} s; median (range)");
        Console.WriteLine($"{"",-10}{"CPU µs without",22}{"CPU µs added",22}{"requests/s with",26}");
        var samples = new Dictionary<string, double[]>();
        foreach (var chain in chains)
        {
            Console.WriteLine($"{chain.Name,-10}{Measure.Range(chain.Direct, "N1"),22}{Measure.Range(chain.Added, "N1"),22}{Measure.Range(chain.Rate, "N0"),26}");
            samples[$"{chain.Name}.cpu"] = [.. chain.Direct];
            samples[$"{chain.Name}.added"] = [.. chain.Added];
            samples[$"{chain.Name}.rps"] = [.. chain.Rate];
        }

        // Ratios are taken within each round: the machine's speed drifts between them.
        var pairs = new Dictionary<string, double>
        {
            ["hop-1k-cpu"] = Measure.Median(Enumerable.Range(0, rounds).Select(r => ours.Added[r] / theirs.Added[r])),
            ["hop-1k-rps"] = Measure.Median(Enumerable.Range(0, rounds).Select(r => ours.Rate[r] / theirs.Rate[r])),
        };
        return new Outcome(pairs, samples, new Dictionary<string, string>
        {
            ["nginx"] = await BenchContext.VersionAsync("nginx", "-v"),
            ["openssl"] = await BenchContext.VersionAsync("openssl", "version"),
        });
    }

    private static async Task<(double Cpu, double Rate)> CostAsync(Way path, int seconds)
    {
        var before = path.Pids.Sum(Measure.CpuSeconds);
        var (requests, elapsed, _, errors) = await Measure.WrkAsync($"http://127.0.0.1:{path.Port}/index.html", Connections, seconds);
        return errors == 0
            ? ((path.Pids.Sum(Measure.CpuSeconds) - before) / requests * 1e6, requests / elapsed)
            : throw new InvalidOperationException($"port {path.Port}: {errors} requests failed");
    }

    private static async Task<Paths> StartOursAsync(BenchContext context, int app, string east, string west)
    {
        var (direct, first, second, hop) = (BenchContext.FreePort(), BenchContext.FreePort(), BenchContext.FreePort(), BenchContext.FreePort());
        var alone = await StartAsync(direct, "direct");
        var behind = await StartAsync(second, "second", "--identity", west, "--hop-listen", $"{hop}");
        var before = await StartAsync(first, "first", "--identity", east, "--hop-to", $"west:{hop}");
        return new Paths(new Way(direct, alone), new Way(first, before, behind));

        async Task<int> StartAsync(int port, string name, params string[] more) => (await context.StartAsync(
            port, "dotnet", [context.EdgeHost, $"{port}", $"{app}", "2", Path.Combine(context.Folder, $"{name}.log"), .. more])).Id;
    }

    private static async Task<Paths> StartNginxAsync(BenchContext context, int app, string east, string west)
    {
        var (direct, first, hop) = (BenchContext.FreePort(), BenchContext.FreePort(), BenchContext.FreePort());
        var alone = await StartAsync(direct, "direct", $"listen 127.0.0.1:{direct};", $"server 127.0.0.1:{app};", "http", Fields);
        var behind = await StartAsync(hop, "second",
            $"listen 127.0.0.1:{hop} ssl; {Own(west)} ssl_client_certificate {west}/authority.crt; ssl_verify_client on;", $"server 127.0.0.1:{app};", "http", "", log: false);
        var before = await StartAsync(first, "first", $"listen 127.0.0.1:{first};", $"server 127.0.0.1:{hop};", "https",
            $"{Fields} proxy_ssl_certificate {east}/machine.crt; proxy_ssl_certificate_key {east}/machine.key; proxy_ssl_trusted_certificate {east}/authority.crt; "
            + "proxy_ssl_verify on; proxy_ssl_name west; proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.3;");
        return new Paths(new Way(direct, alone), new Way(first, before, behind));

        async Task<int> StartAsync(int port, string name, string listen, string upstream, string scheme, string more, bool log = true) => (await context.StartAsync(
            port, "nginx", "-p", context.Folder, "-c", context.Write($"nginx-{name}.conf", Proxy(context.Folder, name, listen, upstream, scheme, more, log)))).Id;
    }

    private static string Own(string identity) =>
        $"ssl_certificate {identity}/machine.crt; ssl_certificate_key {identity}/machine.key; ssl_protocols TLSv1.3;";

    private const string Fields = """
        proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header Forwarded "for=$remote_addr;proto=$scheme;host=$http_host"; proxy_set_header X-Request-Id $request_id;
        proxy_set_header X-Request-Start "t=$msec";
        """;

    private static string Common(string folder) =>
        $"keepalive_requests 1000000000; keepalive_timeout 1h; tcp_nodelay on; client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; "
        + $"fastcgi_temp_path {folder}/tmp; uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;";

    private static string User => Environment.UserName == "root" ? "user root;" : "";

    private static string App(string folder, int port) => $$"""
        {{User}}
        daemon off; worker_processes 1; pid {{folder}}/app.pid; error_log stderr crit;
        events { worker_connections 1024; }
        http { access_log off; sendfile on; open_file_cache max=10; {{Common(folder)}}
          server { listen 127.0.0.1:{{port}}; root {{folder}}/www; } }
        """;

    private static string Proxy(string folder, string name, string listen, string upstream, string scheme, string more, bool log) => $$"""
        {{User}}
        daemon off; worker_processes 2; pid {{folder}}/nginx-{{name}}.pid; error_log stderr crit;
        events { worker_connections 1024; }
        http {
          {{Common(folder)}}
          log_format full '$remote_addr [$time_iso8601] "$request" $status $bytes_sent $request_time $upstream_response_time $request_id "$http_user_agent"';
          access_log {{(log ? $"{folder}/nginx-{name}.access.log full buffer=64k flush=1s" : "off")}};
          upstream next { {{upstream}} keepalive 128; keepalive_requests 1000000000; }
          server { {{listen}}
            location / {
              proxy_pass {{scheme}}://next; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; {{more}} } } }
        """;

    /// <summary>A way to the app: the port to ask, and the proxies that a request costs.</summary>
    private sealed record Way(int Port, params int[] Pids);

    private sealed record Paths(Way Direct, Way Hop);

    private sealed record Chain(string Name, Paths Paths)
    {
        public List<double> Direct { get; } = [];

        public List<double> Added { get; } = [];

        public List<double> Rate { get; } = [];
    }
}
