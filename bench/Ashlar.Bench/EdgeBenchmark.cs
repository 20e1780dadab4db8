namespace Ashlar.Bench;

/// <summary>
/// Proxying 1 KiB over 64 connections, kept alive or a new one for each request: requests a second, and CPU µs per request of the
/// proxy alone, beside nginx and HAProxy in front of the same upstream. All write an access log, a request id, forwarding headers,
/// and keep metrics.
/// </summary>
internal static class EdgeBenchmark
{
    private const int Connections = 64;

    /// <summary>With keep-alive.</summary>
    public static Task<Outcome> RunAsync(BenchContext context) => RunAsync(context, "proxy-1k", "keep-alive");

    /// <summary>A connection a request.</summary>
    public static Task<Outcome> ConnectAsync(BenchContext context) => RunAsync(context, "connect-1k", "a new connection for each request", "Connection: close");

    private static async Task<Outcome> RunAsync(BenchContext context, string pair, string scenario, params string[] headers)
    {
        var (rounds, seconds) = context.Quick ? (3, 3) : (9, 6);
        var upstream = BenchContext.FreePort();
        var body = new string('x', 1023) + "\n";
        context.Write("www/index.html", body);
        await context.StartAsync(upstream, "nginx", "-p", context.Folder, "-c", context.Write("upstream.conf", Upstream(context.Folder, upstream)));

        var nginx = BenchContext.FreePort();
        var nginxProcess = await context.StartAsync(nginx, "nginx", "-p", context.Folder, "-c", context.Write("nginx.conf", Nginx(context.Folder, nginx, upstream)));
        var haproxy = BenchContext.FreePort();
        var haproxyProcess = await context.StartAsync(haproxy, "haproxy", "-db", "-f", context.Write("haproxy.cfg", HaProxy(haproxy, upstream, BenchContext.FreePort())));

        // The service is an nginx too: each instance is told its port by PORT.
        var ours = BenchContext.FreePort();
        context.Write("stack/www/index.html", body);
        context.Write("stack/start", $"#!/bin/sh\nmkdir -p tmp logs\nsed \"s/@PORT@/$PORT/; s|@FOLDER@|$PWD|g\" app.conf >tmp/app.conf\nexec nginx -p \"$PWD\" -c \"$PWD/tmp/app.conf\"\n");
        context.Write("stack/app.conf", Upstream("@FOLDER@", 0).Replace("127.0.0.1:0", "127.0.0.1:@PORT@"));
        context.Write("stack/ashlar.yaml", $"name: bench\nservices:\n  web:\n    run: sh ./start\n    route: /\nedge:\n  listen: {{http: \"127.0.0.1:{ours}\"}}\n");
        await using var stack = await BenchStack.UpAsync(context, "stack");

        (string Name, int Port, int Pid)[] proxies =
        [
            ("ashlar", ours, await stack.PidAsync("edge.1")),
            ("nginx", nginx, nginxProcess.Id),
            ("haproxy", haproxy, haproxyProcess.Id),
        ];
        var samples = new Dictionary<string, double[]>();
        var cpu = proxies.ToDictionary(p => p.Name, _ => new List<double>());
        var rate = proxies.ToDictionary(p => p.Name, _ => new List<double>());
        var late = proxies.ToDictionary(p => p.Name, _ => new List<double>());
        foreach (var (_, port, _) in proxies)
        {
            await Measure.WrkAsync($"http://127.0.0.1:{port}/index.html", Connections, context.Quick ? 4 : 6, headers);
        }
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < proxies.Length; i++)
            {
                var (name, port, pid) = proxies[(i + round) % proxies.Length];
                var before = Measure.CpuSeconds(pid);
                var (requests, elapsed, p99, errors) = await Measure.WrkAsync($"http://127.0.0.1:{port}/index.html", Connections, seconds, headers);
                if (errors > 0)
                {
                    throw new InvalidOperationException($"{name}: {errors} requests failed");
                }
                cpu[name].Add((Measure.CpuSeconds(pid) - before) / requests * 1e6);
                rate[name].Add(requests / elapsed);
                late[name].Add(p99);
            }
        }
        Console.WriteLine($"Proxying 1 KiB, {scenario}, {Connections} connections, {rounds} interleaved rounds of {seconds} s; median (range)");
        Console.WriteLine($"{"",-10}{"requests/s",26}{"CPU µs/request",26}{"p99 ms",22}");
        foreach (var (name, _, _) in proxies)
        {
            Console.WriteLine($"{name,-10}{Measure.Range(rate[name], "N0"),26}{Measure.Range(cpu[name], "N1"),26}{Measure.Range(late[name], "N1"),22}");
            samples[$"{name}.cpu"] = [.. cpu[name]];
            samples[$"{name}.rps"] = [.. rate[name]];
            samples[$"{name}.p99"] = [.. late[name]];
        }
        // Ratios are taken within each round: the machine's speed drifts between them.
        var pairs = new Dictionary<string, double>
        {
            [$"{pair}-cpu"] = Measure.Median(Enumerable.Range(0, rounds).Select(r => cpu["ashlar"][r] / Math.Min(cpu["nginx"][r], cpu["haproxy"][r]))),
            [$"{pair}-rps"] = Measure.Median(Enumerable.Range(0, rounds).Select(r => rate["ashlar"][r] / Math.Max(rate["nginx"][r], rate["haproxy"][r]))),
        };
        return new Outcome(pairs, samples, new Dictionary<string, string>
        {
            ["nginx"] = await BenchContext.VersionAsync("nginx", "-v"),
            ["haproxy"] = await BenchContext.VersionAsync("haproxy", "-v"),
        });
    }

    internal static string User => Environment.UserName == "root" ? "user root;" : "";

    internal static string Paths(string folder) =>
        $"client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp; uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;";

    internal static string Upstream(string folder, int port) => $$"""
        {{(port == 0 ? "" : User)}}
        daemon off; worker_processes 1; pid {{folder}}/{{(port == 0 ? "tmp/app" : "upstream")}}.pid; error_log stderr crit;
        events { worker_connections 1024; }
        http { access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; sendfile on; tcp_nodelay on; open_file_cache max=10; {{Paths(folder)}}
          server { listen 127.0.0.1:{{port}}; root {{folder}}/www; } }
        """;

    private static string Nginx(string folder, int port, int upstream) => $$"""
        {{User}}
        daemon off; worker_processes 2; pid {{folder}}/nginx.pid; error_log stderr crit;
        events { worker_connections 1024; }
        http {
          keepalive_requests 1000000000; keepalive_timeout 1h; tcp_nodelay on; {{Paths(folder)}}
          log_format full '$remote_addr [$time_iso8601] "$request" $status $bytes_sent $request_time $upstream_response_time $request_id "$http_user_agent"';
          access_log {{folder}}/nginx.access.log full buffer=64k flush=1s;
          upstream app { server 127.0.0.1:{{upstream}}; keepalive 128; keepalive_requests 1000000000; }
          server { listen 127.0.0.1:{{port}};
            location = /stub { stub_status; }
            location / {
              proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
              proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
              proxy_set_header Forwarded "for=$remote_addr;proto=$scheme;host=$http_host"; proxy_set_header X-Request-Id $request_id;
              proxy_set_header X-Request-Start "t=$msec"; } } }
        """;

    // HAProxy's log goes to its in-memory ring: the cheapest it has.
    private static string HaProxy(int port, int upstream, int stats) => $"""
        global
          nbthread 2
          maxconn 2000
          log ring@access format raw local0
        ring access
          format raw
          maxlen 1200
          size 1048576
        defaults
          mode http
          log global
          option httplog
          timeout client 1h
          timeout server 1h
          timeout connect 5s
          http-reuse always
        frontend stats
          bind 127.0.0.1:{stats}
          stats enable
        frontend public
          bind 127.0.0.1:{port}
          unique-id-format %[uuid()]
          unique-id-header X-Request-Id
          option forwardfor
          http-request set-header X-Forwarded-Proto http
          http-request set-header X-Forwarded-Host %[req.hdr(host)]
          http-request set-header Forwarded "for=%[src];proto=http;host=%[req.hdr(host)]"
          http-request set-header X-Request-Start "t=%[date(0,ms)]"
          default_backend app
        backend app
          server app 127.0.0.1:{upstream}
        """ + "\n";
}
