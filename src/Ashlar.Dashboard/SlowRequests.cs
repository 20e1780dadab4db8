using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.Dashboard;

/// <summary>A request of the edge's log, with where its time went. All spans are milliseconds; null: it has none of it.</summary>
internal sealed record SlowRequest
{
    public DateTimeOffset Time { get; init; }
    public string Method { get; init; } = "";
    public string Host { get; init; } = "";
    public string Target { get; init; } = "";
    public int Status { get; init; }
    public double Ms { get; init; }
    [JsonPropertyName("queue_ms")] public double? Queue { get; init; }
    [JsonPropertyName("connect_ms")] public double? Connect { get; init; }
    [JsonPropertyName("first_ms")] public double? First { get; init; }
    [JsonPropertyName("upstream_ms")] public double? Upstream { get; init; }
    public string? Service { get; init; }
    public string? Instance { get; init; }
    public string? Failure { get; init; }
    public string Id { get; init; } = "";
}

/// <summary>What the page gets when it asks for the slowest requests.</summary>
/// <param name="Seconds">How far back they were looked for.</param>
/// <param name="Requests">The slowest first.</param>
internal sealed record SlowAnswer(int Seconds, ImmutableArray<SlowRequest> Requests);

/// <summary>Finds the slowest requests of the last minutes in the edge's log. It reads only when the page asks, and only the log's end.</summary>
internal static class SlowRequests
{
    /// <summary>Requests told at once.</summary>
    public const int Most = 12;

    private const int MostBytes = 2 * 1024 * 1024;
    private const int SwitchingProtocols = 101;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>Reads them. A log that is not there, or cannot be read, has none.</summary>
    /// <param name="path">The edge's log.</param>
    /// <param name="now">Now.</param>
    public static SlowAnswer Read(string path, DateTimeOffset now)
    {
        var slowest = new PriorityQueue<SlowRequest, double>();
        var oldest = now;
        try
        {
            foreach (var line in Lines(path))
            {
                if (Parse(line.Span) is not { } request || request.Time < now - Window)
                {
                    continue;
                }

                oldest = request.Time < oldest ? request.Time : oldest;
                if (request.Service != "dashboard" && request.Status != SwitchingProtocols)
                {
                    slowest.Enqueue(request, request.Ms);
                    if (slowest.Count > Most)
                    {
                        slowest.Dequeue();
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Also while it is being rotated: the page asks again.
        }

        return new SlowAnswer((int)(now - oldest).TotalSeconds, [.. slowest.UnorderedItems.OrderByDescending(item => item.Priority).Select(item => item.Element)]);
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path)
    {
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        var length = RandomAccess.GetLength(file);
        var from = Math.Max(0, length - MostBytes);
        var bytes = new byte[length - from];
        var rest = bytes.AsMemory(0, RandomAccess.Read(file, bytes, from));
        if (from > 0)
        {
            rest = rest[(rest.Span.IndexOf((byte)'\n') + 1)..];
        }

        for (int end; (end = rest.Span.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
        {
            yield return rest[..end];
        }
    }

    private static SlowRequest? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, Live.PageJson.Default.SlowRequest);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
