using System.Globalization;
using System.Text.RegularExpressions;

namespace Ashlar.Bench;

/// <summary>
/// TLS at the edge: 1 KiB over kept connections, over HTTP/2, and handshakes, full and resumed; CPU of the proxy alone, beside nginx and Caddy in front of the
/// same upstream. All have the same certificate on P-256 and speak TLS 1.3 with AES-128-GCM as the client asks.
/// </summary>
internal static partial class TlsBenchmark
{
    private const string Host = "bench.test";

    /// <summary>All of it.</summary>
    public static async Task<Outcome> RunAsync(BenchContext context)
    {
        var (rounds, seconds) = context.Quick ? (3, 3) : (7, 5);
        var upstream = BenchContext.FreePort();
        var body = new string('x', 1023) + "\n";
        context.Write("www/index.html", body);
        await context.StartAsync(upstream, "nginx", "-p", context.Folder, "-c", context.Write("upstream.conf", EdgeBenchmark.Upstream(context.Folder, upstream)));

        var (plain, ours) = (BenchContext.FreePort(), BenchContext.FreePort());
        context.Write("stack/www/index.html", body);
        context.Write("stack/start", $"#!/bin/sh\nmkdir -p tmp logs\nsed \"s/@PORT@/$PORT/; s|@FOLDER@|$PWD|g\" app.conf >tmp/app.conf\nexec nginx -p \"$PWD\" -c \"$PWD/tmp/app.conf\"\n");
        context.Write("stack/app.conf", EdgeBenchmark.Upstream("@FOLDER@", 0).Replace("127.0.0.1:0", "127.0.0.1:@PORT@"));
        context.Write("stack/ashlar.yaml", $"name: bench\ndomains: [{Host}]\nservices:\n  web:\n    run: sh ./start\n    route: /\nedge:\n  listen: {{http: \"127.0.0.1:{plain}\", https: \"127.0.0.1:{ours}\"}}\n");
        await using var stack = await BenchStack.UpAsync(context, "stack");

        // The peers show our own certificate: the same key and chain for all.
        var pem = Path.Combine(context.Folder, "peer.pem");
        File.Copy(Directory.GetFiles(Path.Combine(context.Folder, "stack/.ashlar/run/certificates"), $"{Host}.*.pem")[0], pem);
        File.SetUnixFileMode(pem, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        var (nginx, caddy) = (BenchContext.FreePort(), BenchContext.FreePort());
        var nginxProcess = await context.StartAsync(nginx, "nginx", "-p", context.Folder, "-c", context.Write("nginx.conf", Nginx(context.Folder, nginx, upstream, pem)));
        var caddyProcess = await context.StartAsync(caddy, "caddy", "run", "--adapter", "caddyfile", "--config", context.Write("Caddyfile", Caddyfile(context.Folder, caddy, upstream, pem)));
        (string Name, int Port, int Pid)[] proxies =
        [
            ("ashlar", ours, await stack.PidAsync("edge.1")), ("nginx", nginx, nginxProcess.Id), ("caddy", caddy, caddyProcess.Id),
        ];

        var samples = new Dictionary<string, double[]>();
        var pairs = new Dictionary<string, double>();
        foreach (var (pair, scenario, measure) in Scenarios(seconds))
        {
            await Comparison.RunAsync(pair, scenario, measure, proxies, rounds, samples, pairs);
        }

        return new Outcome(pairs, samples, new Dictionary<string, string>
        {
            ["nginx"] = await BenchContext.VersionAsync("nginx", "-v"),
            ["caddy"] = await BenchContext.VersionAsync("caddy", "version"),
            ["openssl"] = await BenchContext.VersionAsync("openssl", "version"),
        });
    }

    private static IEnumerable<(string Pair, string Scenario, Func<int, Task<double>> Measure)> Scenarios(int seconds)
    {
        yield return ("tls-1k", "1 KiB, kept connections (64), HTTP/1.1", port => LoadAsync(port, seconds, "--h1", "-c64", "-m1"));
        yield return ("h2-1k", "1 KiB, HTTP/2, 16 connections of 8 streams", port => LoadAsync(port, seconds, "-c16", "-m8"));
        yield return ("handshake", "full handshakes (openssl s_time)", port => HandshakesAsync(port, seconds, "-new"));
        yield return ("resume", "resumed handshakes, TLS 1.2 (openssl s_time)", port => HandshakesAsync(port, seconds, "-reuse", "-tls1_2"));
    }

    // Requests that succeeded; all others are a failure of the benchmark.
    private static async Task<double> LoadAsync(int port, int seconds, params string[] options)
    {
        var output = await BenchContext.RunAsync("h2load",
            [.. options, "-t1", $"-D{seconds}", "--tls13-ciphers=TLS_AES_128_GCM_SHA256", $"--connect-to=127.0.0.1:{port}", $"https://{Host}/index.html"]);
        var found = Requests().Match(output);
        return found.Success && found.Groups[2].Value == "0" && found.Groups[3].Value == "0"
            ? double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture) : throw new InvalidOperationException(output);
    }

    private static async Task<double> HandshakesAsync(int port, int seconds, params string[] options)
    {
        var output = await BenchContext.RunAsync("openssl", ["s_time", "-connect", $"127.0.0.1:{port}", "-time", seconds.ToString(CultureInfo.InvariantCulture), .. options]);
        var found = Connections().Matches(output);
        return found.Count > 0 ? double.Parse(found[^1].Groups[1].Value, CultureInfo.InvariantCulture) : throw new InvalidOperationException(output);
    }

    private static string Nginx(string folder, int port, int upstream, string pem) => $$"""
        {{EdgeBenchmark.User}}
        daemon off; worker_processes 2; pid {{folder}}/nginx.pid; error_log stderr crit;
        events { worker_connections 1024; }
        http {
          keepalive_requests 1000000000; keepalive_timeout 1h; tcp_nodelay on; {{EdgeBenchmark.Paths(folder)}}
          log_format full '$remote_addr [$time_iso8601] "$request" $status $bytes_sent $request_time $upstream_response_time $request_id "$http_user_agent"';
          access_log {{folder}}/nginx.access.log full buffer=64k flush=1s;
          upstream app { server 127.0.0.1:{{upstream}}; keepalive 128; keepalive_requests 1000000000; }
          server { listen 127.0.0.1:{{port}} ssl http2;
            ssl_certificate {{pem}}; ssl_certificate_key {{pem}}; ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20; ssl_prefer_server_ciphers on;
            ssl_session_tickets on;
            location / {
              proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
              proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
              proxy_set_header Forwarded "for=$remote_addr;proto=$scheme;host=$http_host"; proxy_set_header X-Request-Id $request_id;
              proxy_set_header X-Request-Start "t=$msec"; } } }
        """;

    private static string Caddyfile(string folder, int port, int upstream, string pem) => $$"""
        {
          admin off
          auto_https off
          default_sni {{Host}}
          storage file_system {{folder}}/caddy
        }
        https://:{{port}} {
          bind 127.0.0.1
          tls {{pem}} {{pem}}
          log {
            output file {{folder}}/caddy.access.log
          }
          reverse_proxy 127.0.0.1:{{upstream}} {
            header_up X-Request-Id {http.request.uuid}
          }
        }
        """ + "\n";

    [GeneratedRegex(@"(\d+) succeeded, (\d+) failed, (\d+) errored")]
    private static partial Regex Requests();

    [GeneratedRegex(@"(\d+) connections in \d+ real seconds")]
    private static partial Regex Connections();
}
