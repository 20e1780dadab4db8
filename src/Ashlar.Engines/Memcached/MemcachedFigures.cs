using System.Globalization;
using Ashlar.Engines.Watching;

namespace Ashlar.Engines.Memcached;

/// <summary>Memcached's <c>stats</c> as figures. Pure.</summary>
internal static class MemcachedFigures
{
    /// <summary>The figures; what is not there is 0.</summary>
    public static EngineFigures Of(IReadOnlyDictionary<string, string> stats)
    {
        long Number(string name) => stats.TryGetValue(name, out var text)
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        return new EngineFigures
        {
            Run = stats.GetValueOrDefault("pid") ?? "",
            Memory = Number("bytes"),
            MemoryLimit = Number("limit_maxbytes"),
            Keys = Number("curr_items"),
            Connections = Number("curr_connections"),
            Hits = Number("get_hits"),
            Misses = Number("get_misses"),
            Evictions = Number("evictions"),
            Commands = Number("cmd_get") + Number("cmd_set") + Number("cmd_touch") + Number("cmd_flush"),
            Rejected = Number("rejected_connections"),
        };
    }
}
