using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.Tracing;

/// <summary>What the edge has written down about a request: a line of its access log (<c>docs/edge.md</c>). Times are milliseconds.</summary>
internal sealed record EdgeLine
{
    public DateTimeOffset Time { get; init; }
    public int Status { get; init; }
    public double Ms { get; init; }
    [JsonPropertyName("upstream_ms")] public double? UpstreamMs { get; init; }
    [JsonPropertyName("connect_ms")] public double? ConnectMs { get; init; }
    [JsonPropertyName("first_ms")] public double? FirstMs { get; init; }
    [JsonPropertyName("queue_ms")] public double? QueueMs { get; init; }
    public string? Service { get; init; }
    public string? Instance { get; init; }
    public int Retries { get; init; }
    public string? Failure { get; init; }
    public string Id { get; init; } = "";
    public string? Cache { get; init; }
    public string? Trace { get; init; }
    public string Host { get; init; } = "";
}

/// <summary>Finds the line of a trace in the access log of this machine.</summary>
internal static class EdgeLines
{
    // The edge writes its lines a moment after the answer; an edge that has just been asked for much takes longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);
    private const int Far = 4 * 1024 * 1024;

    /// <summary>
    /// The line; null: it does not come. Requests that the app made meanwhile, and jobs that it enqueued, carry the same id: those went to other hosts.
    /// The log may be rotated meanwhile.
    /// </summary>
    /// <param name="log">The edge's log.</param>
    /// <param name="trace">Id of the trace.</param>
    /// <param name="host">The request's host as it was sent; empty: any.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<EdgeLine?> FindAsync(string log, string trace, string host, CancellationToken cancellation)
    {
        EdgeLine? other = null;
        for (var waited = TimeSpan.Zero; waited < Patience; waited += Between)
        {
            foreach (var line in With(log, trace).Concat(With($"{log}.1", trace)))
            {
                if (host.Length == 0 || line.Host.Equals(host, StringComparison.OrdinalIgnoreCase))
                {
                    return line;
                }

                other = line;
            }

            await Task.Delay(Between, cancellation);
        }

        return other;
    }

    private static List<EdgeLine> With(string path, string trace)
    {
        var found = new List<EdgeLine>();
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(file.Length, Far), SeekOrigin.End);
            using var reader = new StreamReader(file, Encoding.ASCII);
            while (reader.ReadLine() is { } line)
            {
                if (line.EndsWith('}') && line.Contains($"\"trace\":\"{trace}\"", StringComparison.Ordinal))
                {
                    found.Add(JsonSerializer.Deserialize(line, TraceJson.Default.EdgeLine)!);
                }
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            // The edge has written nothing yet, or not for us.
        }

        return found;
    }
}

/// <summary>JSON of traces.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EdgeLine))]
internal sealed partial class TraceJson : JsonSerializerContext;
