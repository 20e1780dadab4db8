using Ashlar.Catalog;
using Ashlar.Monitoring;

namespace Ashlar.Engines.Watching;

/// <summary>The metrics file that the watch of a tier writes.</summary>
internal static class WatchMetrics
{
    private const int Series = 128;
    private const int Longs = 1024;

    /// <summary>Makes it; where it cannot be written that is said, and the figures are kept in memory.</summary>
    public static MetricsFile Open(string tier, string folder, TierWatchHost host)
    {
        try
        {
            // There is one agent: what others have left says nothing any more.
            foreach (var old in Directory.GetFiles(folder, $"{tier}.*.metrics").Where(path => Path.GetFileName(path).Split('.').Length == 3))
            {
                File.Delete(old);
            }

            return MetricsFile.Create(Path.Combine(folder, $"{tier}.{Environment.ProcessId}.metrics"), 1, Series, Longs);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            host.Warn(EngineErrors.FiguresNotWritten(tier, folder, e.Message.TrimEnd('.')));
            return MetricsFile.InMemory(1, Series, Longs);
        }
    }
}
