namespace Ashlar.LoadClient;

/// <summary>What the client asks for, per second and at once. The app behind must be <c>Ashlar.TestApp</c>.</summary>
public sealed record LoadMix
{
    /// <summary>GETs a second over connections that are kept.</summary>
    public int Gets { get; init; } = 4600;

    /// <summary>Connections they share.</summary>
    public int GetConnections { get; init; } = 48;

    /// <summary>GETs a second, each over a connection of its own.</summary>
    public int NewConnections { get; init; } = 300;

    /// <summary>POSTs of 64 KiB a second, by Content-Length and chunked in turn, over kept connections.</summary>
    public int Posts { get; init; } = 200;

    /// <summary>Event streams open at once; each has ten events and a proper end.</summary>
    public int EventStreams { get; init; } = 8;

    /// <summary>WebSockets open at once; each echoes ten messages and closes properly.</summary>
    public int WebSockets { get; init; } = 8;
}

/// <summary>What came of a run.</summary>
/// <param name="Elapsed">How long it ran.</param>
/// <param name="Requests">Exchanges that came out as expected, by kind.</param>
/// <param name="Failures">Every one that did not: kind, what was seen. At most the first thousand are kept.</param>
/// <param name="Failed">Number of failures.</param>
public sealed record LoadReport(TimeSpan Elapsed, IReadOnlyDictionary<string, long> Requests, IReadOnlyList<string> Failures, long Failed)
{
    /// <summary>Good exchanges per second; an event stream or a WebSocket is one.</summary>
    public double Rate => Requests.Values.Sum() / Elapsed.TotalSeconds;

    /// <inheritdoc />
    public override string ToString() =>
        $"{Requests.Values.Sum():N0} requests in {Elapsed.TotalSeconds:N1} s ({Rate:N0}/s: {string.Join(", ", Requests.OrderBy(p => p.Key).Select(p => $"{p.Key} {p.Value:N0}"))}), {Failed} failed"
        + string.Concat(Failures.GroupBy(f => f).OrderByDescending(g => g.Count()).Take(20).Select(g => $"\n  {g.Count()} × {g.Key}"));
}
