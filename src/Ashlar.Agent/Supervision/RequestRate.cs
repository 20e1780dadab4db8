using Ashlar.Monitoring;

namespace Ashlar.Agent.Supervision;

/// <summary>
/// Requests per second through the edge, from the counters of its metrics files. They are read only while somebody asks, once a
/// second at most, so it costs nothing when nobody does.
/// </summary>
/// <param name="folder">Folder of the metrics files.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestRate(string folder, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(0.9);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private readonly Lock _lock = new();
    private Dictionary<string, double> _counts = [];
    private long? _at;
    private double? _rate;

    /// <summary>The rate since the last time it was asked for; null: nobody has asked lately.</summary>
    public double? PerSecond()
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (_at is { } last && time.GetElapsedTime(last, now) < Shortest)
            {
                return _rate;
            }

            var counts = Read();
            _rate = _at is { } before && time.GetElapsedTime(before, now) is var elapsed && elapsed < Longest
                ? counts.Sum(file => Math.Max(0, file.Value - _counts.GetValueOrDefault(file.Key))) / elapsed.TotalSeconds
                : null;
            (_counts, _at) = (counts, now);
            return _rate;
        }
    }

    // Each process of the edge has a file of its own: two while one replaces the other.
    private Dictionary<string, double> Read()
    {
        var counts = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var path in Directory.Exists(folder) ? Directory.GetFiles(folder, $"{Tiers.Edge}.*.metrics") : [])
        {
            if (MetricsReader.TryRead(path, out var snapshot, out _) && snapshot.IsWriterAlive)
            {
                counts[path] = snapshot.Series.Where(s => s.Name.StartsWith(EdgeSeries.Requests, StringComparison.Ordinal)).Sum(s => (double)s.Value);
            }
        }

        return counts;
    }
}
