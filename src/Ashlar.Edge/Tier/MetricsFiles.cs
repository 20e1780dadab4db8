using Ashlar.Errors;
using Ashlar.Monitoring;

namespace Ashlar.Edge.Tier;

/// <summary>Where an edge process keeps its metrics: <c>edge.1.PID.metrics</c>.</summary>
internal static class MetricsFiles
{
    // The last one of a process that has ended stays, so that what it counted can still be read.
    private const int KeptOfDead = 1;

    public static MetricsFile Create(string folder, string instance, int slots, Action<AshlarError> report)
    {
        var path = Path.Combine(folder, $"{instance}.{Environment.ProcessId}.metrics");
        try
        {
            RemoveOld(folder, instance);
            return MetricsFile.Create(path, slots);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report(EdgeErrors.MetricsNotWritable(path, e.Message));
            return MetricsFile.InMemory(slots);
        }
    }

    private static void RemoveOld(string folder, string instance)
    {
        var dead = Directory.EnumerateFiles(folder, $"{instance}.*.metrics")
            .Where(path => !MetricsReader.TryRead(path, out var snapshot, out _) || !snapshot.IsWriterAlive)
            .OrderByDescending(File.GetLastWriteTimeUtc);
        foreach (var path in dead.Skip(KeptOfDead))
        {
            File.Delete(path);
        }
    }
}
