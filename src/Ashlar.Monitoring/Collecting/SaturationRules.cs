using System.Globalization;

namespace Ashlar.Monitoring;

/// <summary>How near to its limit a node is: the nearest of all the limits that are known of it.</summary>
internal static class SaturationRules
{
    public const string Cpu = "cpu", Memory = "memory", Requests = "requests", Connections = "connections", Waiting = "waiting";

    /// <summary>Adds it to a sample.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="cores">Cores of the machine, which limit whom nothing else does; 0: unknown.</param>
    public static Sample With(Sample sample, double cores) => sample with { Saturation = All(sample, cores).MaxBy(s => s.Share) };

    private static IEnumerable<Saturation> All(Sample sample, double cores)
    {
        if (sample.Process is { } process)
        {
            var limit = process.CpuLimit > 0 ? Math.Min(process.CpuLimit, cores > 0 ? cores : process.CpuLimit) : cores;
            if (limit > 0)
            {
                yield return new Saturation(Share(process.Cpu, limit), Cpu, $"{Text(process.Cpu)} of {Text(limit)} {(limit == 1 ? "core" : "cores")}");
            }

            // A cache fills its memory by design, and a machine's is filled by caches of files.
            if (process.MemoryLimit > 0 && sample.Tier is not ("cache" or "machine"))
            {
                yield return new Saturation(
                    Share(process.Memory, process.MemoryLimit), Memory, $"{Mebibytes(process.Memory)} of {Mebibytes(process.MemoryLimit)} MiB of memory");
            }
        }

        if (sample.Requests is { Limit: > 0 } requests)
        {
            yield return new Saturation(
                Share(requests.InFlight - requests.Waiting, requests.Limit), Requests,
                $"{Text(requests.InFlight - requests.Waiting)} of {Text(requests.Limit)} requests in flight");
        }

        if (sample.Requests is { Waiting: > 0 } full && sample.Tier != "edge")
        {
            yield return new Saturation(1, Waiting, $"{Text(full.Waiting)} requests wait for an instance");
        }

        foreach (var (name, value) in sample.Figures)
        {
            if (name.EndsWith("_connections", StringComparison.Ordinal) && sample.Figure(name + "_max") is > 0 and var most)
            {
                yield return new Saturation(Share(value, most), Connections, $"{Text(value)} of {Text(most)} connections");
            }
        }

        if (sample.Tier == "queue" && sample.Figure("engine_memory_bytes") is { } used && sample.Figure("engine_memory_limit_bytes") is > 0 and var room)
        {
            yield return new Saturation(Share(used, room), Memory, $"{Mebibytes(used)} of {Mebibytes(room)} MiB of memory");
        }
    }

    private static double Share(double value, double limit) => Math.Clamp(value / limit, 0, 1);

    private static string Text(double value) => value.ToString(value >= 10 || value == Math.Floor(value) ? "0" : "0.##", CultureInfo.InvariantCulture);

    private static string Mebibytes(double bytes) => Text(bytes / (1 << 20));
}
