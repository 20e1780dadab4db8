using System.Collections.Immutable;
using System.Globalization;

namespace Ashlar.Monitoring;

/// <summary>The tier that is nearest to its limit.</summary>
/// <param name="Tier">Its tier.</param>
/// <param name="Service">Its service.</param>
/// <param name="Share">How near, 0 to 1: the mean of the minute.</param>
/// <param name="Limit">Which limit, as <see cref="Saturation.Limit"/>; <c>machine</c>: the CPU of the machine, of which it uses the most.</param>
/// <param name="Reason">In a sentence.</param>
/// <param name="IsLimiting">True: it holds the stack back now; false: it would be the first to.</param>
public sealed record Bottleneck(string Tier, string Service, double Share, string Limit, string Reason, bool IsLimiting)
{
    private const double NearLimit = 0.8;
    private const double MachineFull = 0.9;
    private static readonly string[] Outside = ["machine", "agent", "dashboard"];

    /// <summary>Finds it. Pure.</summary>
    /// <param name="lastMinute">Moments of the last minute, in any order.</param>
    /// <returns>Null: nothing is known that could be full.</returns>
    public static Bottleneck? Find(ImmutableArray<Moment> lastMinute)
    {
        var moments = lastMinute.Where(moment => moment.Span > TimeSpan.Zero).OrderBy(moment => moment.At).ToArray();
        var nodes = moments.SelectMany(moment => moment.Samples).Where(sample => sample is { Instance: "", Saturation: not null })
            .GroupBy(sample => (sample.Tier, sample.Service)).Select(group => Node.Of([.. group], moments.Length)).ToArray();
        var inside = nodes.Where(node => !Outside.Contains(node.Tier)).OrderByDescending(node => node.Share).ThenBy(node => node.Service, StringComparer.Ordinal).ToArray();
        if (inside is not [var nearest, ..])
        {
            return null;
        }

        // What waits for a full tier behind it is full too; the one behind is the cause.
        if (nearest is { Tier: "services", Limit: SaturationRules.Waiting or SaturationRules.Requests }
            && inside.FirstOrDefault(node => node.Tier is not ("services" or "edge") && node.Share >= NearLimit) is { } behind)
        {
            return behind.As($"{behind.Service} is nearly at its limit ({behind.Reason}), and {nearest.Service} waits for it ({nearest.Reason}).");
        }

        // A full machine slows everybody; who uses most of it is where a change tells most.
        var machine = nodes.FirstOrDefault(node => node.Tier == "machine");
        if (machine is { Share: >= MachineFull } && inside.MaxBy(node => node.Cpu) is { Cpu: > 0 } hungriest
            && (nearest.Limit == SaturationRules.Cpu || nearest.Share < NearLimit || hungriest.Cpu * 2 > machine.Cpu))
        {
            var full = $"The machine's CPU is {(machine.Share * 100).ToString("0", CultureInfo.InvariantCulture)} % busy ({machine.Reason})";
            var others = machine.Cpu - nodes.Where(node => node.Tier != "machine").Sum(node => node.Cpu);
            return others > hungriest.Cpu
                ? machine.As($"{full}, and what runs beside the stack uses most of it ({Cores(others)}).")
                : new Bottleneck(hungriest.Tier, hungriest.Service, machine.Share, "machine",
                    $"{full}, and {hungriest.Service} uses most of it ({Cores(hungriest.Cpu)}).", IsLimiting: true);
        }

        return nearest.As(nearest.Share >= NearLimit
            ? $"{nearest.Service} is nearly at its limit: {nearest.Reason}."
            : $"{nearest.Service} is nearest to its limit: {nearest.Reason}.");
    }

    private static string Cores(double cores) => cores.ToString("0.##", CultureInfo.InvariantCulture) + (cores == 1 ? " core" : " cores");

    /// <param name="Tier">Tier.</param>
    /// <param name="Service">Service.</param>
    /// <param name="Share">Mean of the minute.</param>
    /// <param name="Cpu">Mean cores.</param>
    /// <param name="Limit">The limit that was nearest most often.</param>
    /// <param name="Reason">Of the latest second in which it was that limit.</param>
    private sealed record Node(string Tier, string Service, double Share, double Cpu, string Limit, string Reason)
    {
        public static Node Of(Sample[] samples, int seconds)
        {
            // A node that was there for half of the minute was half as full.
            var limit = samples.GroupBy(sample => sample.Saturation!.Limit, StringComparer.Ordinal).MaxBy(group => group.Sum(sample => sample.Saturation!.Share))!;
            return new Node(samples[0].Tier, samples[0].Service, samples.Sum(sample => sample.Saturation!.Share) / seconds,
                samples.Average(sample => sample.Process?.Cpu ?? 0), limit.Key, limit.Last().Saturation!.Reason);
        }

        public Bottleneck As(string reason) => new(Tier, Service, Share, Limit, reason, Share >= NearLimit);
    }
}
