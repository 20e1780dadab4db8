using System.Globalization;
using System.Runtime.InteropServices;

namespace Ashlar.Monitoring;

/// <summary>How near to its limit a node is: the nearest of all the limits that are known of it.</summary>
internal static class SaturationRules
{
    public const string Cpu = "cpu", Memory = "memory", Requests = "requests", Connections = "connections", Waiting = "waiting";
    private const string OfMemory = " MiB of memory";

    /// <summary>Adds it to a sample.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="cores">Cores of the machine, which limit whom nothing else does; 0: unknown.</param>
    public static Sample With(Sample sample, double cores)
    {
        var nearest = default(Nearest);
        if (sample.Process is { } process)
        {
            var limit = process.CpuLimit > 0 ? Math.Min(process.CpuLimit, cores > 0 ? cores : process.CpuLimit) : cores;
            nearest.Consider(Cpu, process.Cpu, limit, 1, limit == 1 ? " core" : " cores");

            // A cache fills its memory by design, and a machine's is filled by caches of files.
            if (sample.Tier is not ("cache" or "machine"))
            {
                nearest.Consider(Memory, process.Memory, process.MemoryLimit, 1 << 20, OfMemory);
            }
        }

        if (sample.Requests is { } requests)
        {
            nearest.Consider(Requests, requests.InFlight - requests.Waiting, requests.Limit, 1, " requests in flight");
            if (requests.Waiting > 0 && sample.Tier != "edge")
            {
                nearest.Consider(Waiting, requests.Waiting, requests.Waiting, 1, " requests wait for an instance");
            }
        }

        foreach (var (name, value) in sample.Figures)
        {
            if (name.EndsWith("_connections", StringComparison.Ordinal))
            {
                nearest.Consider(Connections, value, sample.Figure(name + "_max") ?? 0, 1, " connections");
            }
        }

        if (sample.Tier == "queue" && sample.Figure("engine_memory_bytes") is { } used)
        {
            nearest.Consider(Memory, used, sample.Figure("engine_memory_limit_bytes") ?? 0, 1 << 20, OfMemory);
        }

        return nearest.Limit is null ? sample : sample with { Saturation = nearest.Tell() };
    }

    // In numbers as long as it is not known which one is told.
    [StructLayout(LayoutKind.Auto)]
    private struct Nearest
    {
        private double _share, _value, _of, _unit;
        private string _what;

        public string? Limit { get; private set; }

        public void Consider(string limit, double value, double of, double unit, string what)
        {
            var share = of > 0 ? Share(value, of) : -1;
            if (share >= 0 && (Limit is null || share > _share))
            {
                (Limit, _share, _value, _of, _unit, _what) = (limit, share, value, of, unit, what);
            }
        }

        public readonly Saturation Tell() => new(_share, Limit!, Limit == Waiting
            ? Text(_value) + _what
            : $"{Text(_value / _unit)} of {Text(_of / _unit)}{_what}");
    }

    private static double Share(double value, double limit) => Math.Clamp(value / limit, 0, 1);

    private static string Text(double value) => value.ToString(value >= 10 || value == Math.Floor(value) ? "0" : "0.##", CultureInfo.InvariantCulture);
}
