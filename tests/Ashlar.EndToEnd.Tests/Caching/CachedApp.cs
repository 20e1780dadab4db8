namespace Ashlar.EndToEnd.Tests.Caching;

/// <summary>An app that numbers its answers and says of each that it is for all.</summary>
internal static class CachedApp
{
    public const string Stack = """
        name: shop
        dashboard: off
        services:
          web: {run: python3 -u app.py, route: /, health: /up}
        edge:
          listen: @LISTEN@
          cache: 64MiB
        """;

    public const string Python = """
        import http.server, os
        count = 0

        class App(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                global count
                if self.path != "/up":
                    count += 1
                body = str(count).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                if self.path != "/up":
                    self.send_header("Cache-Control", "max-age=600")
                    self.send_header("Cache-Tag", "shop, " + self.path[1:])
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), App).serve_forever()
        """;

    public static async Task<(string Body, string Status)> GetAsync(string url, string? host = null)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Host = host } };
        using var response = await client.SendAsync(request);
        return (await response.Content.ReadAsStringAsync(), string.Join(", ", response.Headers.TryGetValues("Cache-Status", out var values) ? values : []));
    }
}
