namespace Ashlar.Bench;

/// <summary>
/// Hits of 1 KiB from the cache over 64 kept connections: requests a second, and CPU µs per request of the cache alone, beside Varnish and
/// nginx with the same answer stored. All write an access log (Varnish by varnishncsa, whose CPU counts with it: it has no log of its own).
/// </summary>
internal static class CacheBenchmark
{
    private const int Connections = 64;

    public static async Task<Outcome> RunAsync(BenchContext context)
    {
        var (rounds, seconds) = context.Quick ? (3, 3) : (9, 6);
        var upstream = BenchContext.FreePort();
        var body = new string('x', 1023) + "\n";
        context.Write("www/index.html", body);
        await context.StartAsync(upstream, "nginx", "-p", context.Folder, "-c", context.Write("upstream.conf", Upstream(context.Folder, $"127.0.0.1:{upstream}")));
        var nginx = BenchContext.FreePort();
        var nginxProcess = await context.StartAsync(nginx, "nginx", "-p", context.Folder, "-c", context.Write("nginx.conf", Nginx(context.Folder, nginx, upstream)));
        var varnish = BenchContext.FreePort();
        var varnishProcess = await context.StartAsync(varnish, "varnishd", "-F", "-n", $"{context.Folder}/varnish", "-a", $"127.0.0.1:{varnish}", "-b", $"127.0.0.1:{upstream}",
            "-s", "malloc,256m", "-p", "thread_pools=2", "-p", "timeout_idle=3600");
        using var varnishLog = System.Diagnostics.Process.Start("varnishncsa", ["-n", $"{context.Folder}/varnish", "-w", $"{context.Folder}/varnish.log"]);
        var ours = BenchContext.FreePort();
        context.Write("stack/www/index.html", body);
        context.Write("stack/start", "#!/bin/sh\nmkdir -p tmp logs\nsed \"s/@PORT@/$PORT/; s|@FOLDER@|$PWD|g\" app.conf >tmp/app.conf\nexec nginx -p \"$PWD\" -c \"$PWD/tmp/app.conf\"\n");
        context.Write("stack/app.conf", Upstream("@FOLDER@", "127.0.0.1:@PORT@"));
        context.Write("stack/ashlar.yaml", $"name: bench\nservices:\n  web:\n    run: sh ./start\n    route: /\nedge:\n  listen: {{http: \"127.0.0.1:{ours}\"}}\n  cache: 256MiB\n");
        await using var stack = await BenchStack.UpAsync(context, "stack");

        (string Name, int Port, int[] Pids)[] caches =
        [
            ("ashlar", ours, [await stack.PidAsync("edge.1")]),
            ("nginx", nginx, [nginxProcess.Id]),
            ("varnish", varnish, [varnishProcess.Id, varnishLog.Id]),
        ];
        var cpu = caches.ToDictionary(c => c.Name, _ => new List<double>());
        var rate = caches.ToDictionary(c => c.Name, _ => new List<double>());
        try
        {
            foreach (var (_, port, _) in caches)
            {
                await Measure.WrkAsync($"http://127.0.0.1:{port}/index.html", Connections, context.Quick ? 4 : 6);
            }

            for (var round = 0; round < rounds; round++)
            {
                for (var i = 0; i < caches.Length; i++)
                {
                    var (name, port, pids) = caches[(i + round) % caches.Length];
                    var before = pids.Sum(Measure.CpuSeconds);
                    var (requests, elapsed, _, errors) = await Measure.WrkAsync($"http://127.0.0.1:{port}/index.html", Connections, seconds);
                    if (errors > 0)
                    {
                        throw new InvalidOperationException($"{name}: {errors} requests failed");
                    }

                    cpu[name].Add((pids.Sum(Measure.CpuSeconds) - before) / requests * 1e6);
                    rate[name].Add(requests / elapsed);
                }
            }
        }
        finally
        {
            varnishLog.Kill();
        }

        Console.WriteLine($"Hits of 1 KiB, keep-alive, {Connections} connections, {rounds} interleaved rounds of {seconds} s; median (range)");
        Console.WriteLine($"{"",-10}{"requests/s",26}{"CPU µs/request",26}");
        var samples = new Dictionary<string, double[]>();
        foreach (var (name, _, _) in caches)
        {
            Console.WriteLine($"{name,-10}{Measure.Range(rate[name], "N0"),26}{Measure.Range(cpu[name], "N1"),26}");
            (samples[$"{name}.cpu"], samples[$"{name}.rps"]) = ([.. cpu[name]], [.. rate[name]]);
        }

        var pairs = new Dictionary<string, double>
        {
            ["hit-1k-cpu"] = Measure.Median(Enumerable.Range(0, rounds).Select(r => cpu["ashlar"][r] / Math.Min(cpu["nginx"][r], cpu["varnish"][r]))),
            ["hit-1k-rps"] = Measure.Median(Enumerable.Range(0, rounds).Select(r => rate["ashlar"][r] / Math.Max(rate["nginx"][r], rate["varnish"][r]))),
        };
        return new Outcome(pairs, samples, new Dictionary<string, string>
        {
            ["nginx"] = await BenchContext.VersionAsync("nginx", "-v"),
            ["varnish"] = await BenchContext.VersionAsync("varnishd", "-V"),
        });
    }

    private static string User => Environment.UserName == "root" ? "user root;" : "";

    private static string Paths(string folder) =>
        $"client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp; fastcgi_temp_path {folder}/tmp; uwsgi_temp_path {folder}/tmp; scgi_temp_path {folder}/tmp;";

    private static string Upstream(string folder, string listen) => $$"""
        {{(listen.Contains('@') ? "" : User)}}
        daemon off; worker_processes 1; pid {{folder}}/{{(listen.Contains('@') ? "tmp/app" : "upstream")}}.pid; error_log stderr crit;
        events { worker_connections 1024; }
        http { access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; tcp_nodelay on; {{Paths(folder)}}
          server { listen {{listen}}; root {{folder}}/www; add_header Cache-Control "public, max-age=86400"; } }
        """;

    private static string Nginx(string folder, int port, int upstream) => $$"""
        {{User}}
        daemon off; worker_processes 2; pid {{folder}}/nginx.pid; error_log stderr crit;
        events { worker_connections 1024; }
        http {
          keepalive_requests 1000000000; keepalive_timeout 1h; tcp_nodelay on; sendfile on; {{Paths(folder)}}
          open_file_cache max=100 inactive=1h;
          proxy_cache_path {{folder}}/nginx-cache keys_zone=one:10m inactive=1d use_temp_path=off;
          log_format full '$remote_addr [$time_iso8601] "$request" $status $bytes_sent $request_time $upstream_cache_status $request_id "$http_user_agent"';
          access_log {{folder}}/nginx.access.log full buffer=64k flush=1s;
          server { listen 127.0.0.1:{{port}};
            location / { proxy_pass http://127.0.0.1:{{upstream}}; proxy_cache one; add_header X-Cache $upstream_cache_status; add_header Age 0; } } }
        """;
}
