using System.Text.Json;
using Ashlar.Catalog;

namespace Ashlar.Engines.Etcd;

/// <summary>What one member says of itself on its loopback port: whether it runs, whether it has a majority, its figures.</summary>
internal static class EtcdHealth
{
    private const int LongestAnswer = 1 << 20;

    private static readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
    {
        MaxResponseContentBufferSize = LongestAnswer,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Good: it answers as etcd does, with a majority or without. One that only lacks the others must not be restarted.</summary>
    /// <exception cref="HttpRequestException">It does not answer.</exception>
    public static async Task<(bool Good, string Text)> LivesAsync(ProbeSpec probe, CancellationToken cancellation)
    {
        var (healthy, reason) = Read(await GetAsync(probe, "health?serializable=true", cancellation));
        return healthy switch
        {
            true => (true, "healthy"),
            false => (true, reason.Length > 0 ? $"no majority: {reason}" : "no majority"),
            null => (false, "what it answered is not etcd"),
        };
    }

    /// <summary>True: it has a leader and a majority confirms a read.</summary>
    /// <exception cref="HttpRequestException">It does not answer.</exception>
    public static async Task<bool> HasMajorityAsync(ProbeSpec probe, CancellationToken cancellation) =>
        Read(await GetAsync(probe, "health", cancellation)).Healthy == true;

    /// <summary>Its figures.</summary>
    /// <exception cref="HttpRequestException">It does not answer.</exception>
    public static async Task<EtcdFigures> FiguresAsync(ProbeSpec probe, CancellationToken cancellation) =>
        EtcdFigures.Read(await GetAsync(probe, "metrics", cancellation));

    /// <summary>Reads <c>{"health":"true"}</c> or <c>{"health":"false","reason":"…"}</c>; null: it is neither.</summary>
    internal static (bool? Healthy, string Reason) Read(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("health", out var health)
                ? (health.ValueKind == JsonValueKind.True || (health.ValueKind == JsonValueKind.String && health.ValueEquals("true")),
                    root.TryGetProperty("reason", out var reason) && reason.ValueKind == JsonValueKind.String ? reason.GetString() ?? "" : "")
                : (null, "");
        }
        catch (JsonException)
        {
            return (null, "");
        }
    }

    private static async Task<string> GetAsync(ProbeSpec probe, string path, CancellationToken cancellation)
    {
        using var response = await _http.GetAsync(new Uri($"http://{probe.Address}:{probe.Port}/{path}"), cancellation);
        return await response.Content.ReadAsStringAsync(cancellation);
    }
}
