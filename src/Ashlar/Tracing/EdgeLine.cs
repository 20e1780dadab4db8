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
}

/// <summary>Finds the line of a trace in the access log of this machine.</summary>
internal static class EdgeLines
{
    // The edge writes its lines a moment after the answer; an edge that has just been asked for much takes longer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);
    private const int Far = 4 * 1024 * 1024;

    /// <summary>The line; null: it does not come. The log may be rotated meanwhile.</summary>
    public static async Task<EdgeLine?> FindAsync(string log, string trace, CancellationToken cancellation)
    {
        for (var waited = TimeSpan.Zero; waited < Patience; waited += Between)
        {
            if (Last(log, trace) is { } line || (line = Last($"{log}.1", trace)) is not null)
            {
                return JsonSerializer.Deserialize(line, TraceJson.Default.EdgeLine);
            }

            await Task.Delay(Between, cancellation);
        }

        return null;
    }

    private static string? Last(string path, string trace)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(file.Length, Far), SeekOrigin.End);
            using var reader = new StreamReader(file, Encoding.ASCII);
            string? found = null;
            while (reader.ReadLine() is { } line)
            {
                found = line.EndsWith('}') && line.Contains($"\"trace\":\"{trace}\"", StringComparison.Ordinal) ? line : found;
            }

            return found;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>JSON of traces.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EdgeLine))]
internal sealed partial class TraceJson : JsonSerializerContext;
