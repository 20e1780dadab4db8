using System.IO.Compression;
using System.Net;

namespace Ashlar.Bench;

/// <summary>
/// Files over kept connections of HTTP/1.1: 1 KiB, 100 KiB, 10 MiB, and 100 KiB with a gzip sibling for a client that takes it; CPU of the server alone, beside
/// nginx and Caddy. All write an access log and look at most a second later whether a file has changed (Caddy at each request: it has no other way).
/// </summary>
internal static class StaticBenchmark
{
    private static readonly (string Pair, string File, int Length, int Connections, string[] Headers)[] s_scenarios =
    [
        ("static-1k", "small.txt", 1 << 10, 64, []),
        ("static-100k", "middle.bin", 100 << 10, 32, []),
        ("static-10m", "large.bin", 10 << 20, 8, []),
        ("static-gzip", "page.html", 100 << 10, 64, ["Accept-Encoding: gzip"]),
    ];

    public static async Task<Outcome> RunAsync(BenchContext context)
    {
        var (rounds, seconds) = context.Quick ? (3, 2) : (9, 5);
        var root = Directory.CreateDirectory(Path.Combine(context.Folder, "stack/www")).FullName;
        foreach (var (_, file, length, _, _) in s_scenarios)
        {
            File.WriteAllBytes(Path.Combine(root, file), Content(file, length));
        }

        using (var sibling = new GZipStream(File.Create(Path.Combine(root, "page.html.gz")), CompressionLevel.SmallestSize))
        {
            sibling.Write(Content("page.html", 100 << 10));
        }

        var (nginx, caddy, ours) = (BenchContext.FreePort(), BenchContext.FreePort(), BenchContext.FreePort());
        var nginxProcess = await context.StartAsync(nginx, "nginx", "-p", context.Folder, "-c", context.Write("nginx.conf", Nginx(context.Folder, nginx, root)));
        var caddyProcess = await context.StartAsync(caddy, "caddy", "run", "--adapter", "caddyfile", "--config", context.Write("Caddyfile", Caddyfile(context.Folder, caddy, root)));
        context.Write("stack/ashlar.yaml", $"""
            name: bench
            services:
              idle:
                run: sleep 100000
            dashboard: off
            edge:
              listen: 127.0.0.1:{ours}
              static:
                /: www
            """);
        await using var stack = await BenchStack.UpAsync(context, "stack");
        (string Name, int Port, int Pid)[] servers = [("ashlar", ours, await stack.PidAsync("edge.1")), ("nginx", nginx, nginxProcess.Id), ("caddy", caddy, caddyProcess.Id)];

        var samples = new Dictionary<string, double[]>();
        var pairs = new Dictionary<string, double>();
        foreach (var (pair, file, length, connections, headers) in s_scenarios)
        {
            foreach (var server in servers)
            {
                await CheckAsync(server.Name, server.Port, file, length, headers.Length > 0);
            }

            await Comparison.RunAsync(pair, $"{file}, {length >> 10} KiB{(headers.Length > 0 ? ", gzip sibling" : "")}, {connections} connections", async port =>
            {
                var (requests, _, _, errors) = await Measure.WrkAsync($"http://127.0.0.1:{port}/{file}", connections, seconds, headers);
                return errors == 0 ? requests : throw new InvalidOperationException($"{errors} requests for {file} failed at port {port}");
            }, servers, rounds, samples, pairs);
        }

        return new Outcome(pairs, samples, new Dictionary<string, string>
        {
            ["nginx"] = await BenchContext.VersionAsync("nginx", "-v"),
            ["caddy"] = await BenchContext.VersionAsync("caddy", "version"),
        });
    }

    // All serve the same: the file, or what decompresses to it.
    private static async Task CheckAsync(string server, int port, string file, int length, bool compressed)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = compressed ? DecompressionMethods.GZip : DecompressionMethods.None });
        using var answer = await client.GetAsync($"http://127.0.0.1:{port}/{file}");
        var body = await answer.Content.ReadAsByteArrayAsync();
        if (!answer.IsSuccessStatusCode || !body.AsSpan().SequenceEqual(Content(file, length)))
        {
            throw new InvalidOperationException($"{server} answers {file} with {(int)answer.StatusCode} and {body.Length} octets");
        }
    }

    // Words, so that what is compressed has the size of a page that is.
    private static byte[] Content(string file, int length)
    {
        var random = new Random(1);
        var content = new byte[length];
        for (var i = 0; i < length; i++)
        {
            content[i] = file.EndsWith(".bin", StringComparison.Ordinal) ? (byte)random.Next(256) : random.Next(6) == 0 ? (byte)' ' : (byte)"etaoinsh"[random.Next(8)];
        }
        return content;
    }

    private static string Nginx(string folder, int port, string root) => $$"""
        {{EdgeBenchmark.User}}
        daemon off; worker_processes 2; pid {{folder}}/nginx.pid; error_log stderr crit;
        events { worker_connections 1024; }
        http {
          types { text/html html; text/plain txt; application/octet-stream bin; }
          keepalive_requests 1000000000; keepalive_timeout 1h; sendfile on; tcp_nopush on; tcp_nodelay on; {{EdgeBenchmark.Paths(folder)}}
          open_file_cache max=1000; open_file_cache_valid 1s; gzip_static on;
          log_format full '$remote_addr [$time_iso8601] "$request" $status $bytes_sent $request_time $request_id "$http_user_agent"';
          access_log {{folder}}/nginx.access.log full buffer=64k flush=1s;
          server { listen 127.0.0.1:{{port}}; root {{root}}; } }
        """;

    private static string Caddyfile(string folder, int port, string root) => $$"""
        {
          admin off
          auto_https off
          storage file_system {{folder}}/caddy
        }
        http://:{{port}} {
          bind 127.0.0.1
          root * {{root}}
          log {
            output file {{folder}}/caddy.access.log
          }
          file_server {
            precompressed gzip
          }
        }
        """ + "\n";
}
