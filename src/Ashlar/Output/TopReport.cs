using System.Collections.Immutable;
using Ashlar.Catalog;
using Ashlar.Monitoring;

namespace Ashlar.Output;

/// <summary>What <c>ashlar top</c> shows of one second.</summary>
/// <param name="Stack">Folder name of the stack.</param>
/// <param name="At">When.</param>
/// <param name="Bottleneck">Who is nearest to its limit, or null.</param>
/// <param name="Rows">Services, each followed by its instances.</param>
/// <param name="Problems">Metrics that could not be read.</param>
internal sealed record TopReport(string Stack, DateTimeOffset At, Bottleneck? Bottleneck, ImmutableArray<TopRow> Rows, ImmutableArray<string> Problems);

/// <summary>One service or instance. What is not known of it is null.</summary>
/// <param name="Tier">Its tier.</param>
/// <param name="Service">Its service.</param>
/// <param name="Instance">Its name; empty: the service as a whole.</param>
/// <param name="RequestsPerSecond">Requests ended.</param>
/// <param name="ErrorShare">Part of them that failed, 0 to 1.</param>
/// <param name="P50Milliseconds">Half of the requests of the last ten seconds took at most so long.</param>
/// <param name="P95Milliseconds">95 % of them did.</param>
/// <param name="Waiting">Requests in the waiting room.</param>
/// <param name="Cpu">Cores.</param>
/// <param name="Memory">Bytes.</param>
/// <param name="Restarts">Restarts after crashes.</param>
/// <param name="State">State of an instance.</param>
/// <param name="Healthy">Healthy instances of a service.</param>
/// <param name="Instances">Its instances.</param>
/// <param name="Saturation">0 to 1.</param>
/// <param name="Limit">Of what.</param>
internal sealed record TopRow(
    string Tier, string Service, string Instance, double? RequestsPerSecond, double? ErrorShare, double? P50Milliseconds, double? P95Milliseconds,
    double? Waiting, double? Cpu, long? Memory, int? Restarts, InstanceState? State, int? Healthy, int? Instances, double? Saturation, string? Limit);

/// <summary>What rows are sorted by.</summary>
internal enum TopOrder
{
    /// <summary>Tier from the front, then name.</summary>
    Name,

    /// <summary>CPU, most first.</summary>
    Cpu,

    /// <summary>Memory, most first.</summary>
    Memory,

    /// <summary>Requests, most first.</summary>
    Requests,
}

/// <summary>Words and keys of the orders.</summary>
internal static class TopOrders
{
    public static TopOrder? Parse(string text) => Enum.TryParse<TopOrder>(text, ignoreCase: true, out var order) && char.IsAsciiLetter(text[0]) ? order : null;

    public static TopOrder? OfKey(char key) => char.ToLowerInvariant(key) switch
    {
        'n' => TopOrder.Name,
        'c' => TopOrder.Cpu,
        'm' => TopOrder.Memory,
        'r' => TopOrder.Requests,
        _ => null,
    };
}

/// <summary>Makes the report of moments.</summary>
internal static class TopReports
{
    private static readonly string[] Tiers = ["dns", "edge", "services", "database", "cache", "queue", "jobs", "state", "dashboard", "agent", "machine"];

    /// <param name="stack">Name of the stack.</param>
    /// <param name="moments">The last ones, oldest first; latency is that of all of them.</param>
    /// <param name="bottleneck">The bottleneck of the last minute.</param>
    /// <param name="order">Order of the services, and of the instances within.</param>
    public static TopReport Of(string stack, ImmutableArray<Moment> moments, Bottleneck? bottleneck, TopOrder order)
    {
        var now = moments[^1];
        var services = now.Samples.Where(sample => sample.Instance.Length == 0);
        var sorted = Sort(services, order).SelectMany(service =>
        {
            var instances = Sort(now.Samples.Where(sample => sample.Service == service.Service && sample.Instance.Length > 0), order);
            return instances.Prepend(service);
        });
        return new TopReport(stack, now.At, bottleneck, [.. sorted.Select(sample => Row(sample, moments))], now.Problems);
    }

    private static IEnumerable<Sample> Sort(IEnumerable<Sample> samples, TopOrder order) => order switch
    {
        TopOrder.Cpu => samples.OrderByDescending(sample => sample.Process?.Cpu ?? 0),
        TopOrder.Memory => samples.OrderByDescending(sample => sample.Process?.Memory ?? 0),
        TopOrder.Requests => samples.OrderByDescending(sample => sample.Requests?.Rate ?? 0),
        _ => samples.OrderBy(sample => Array.IndexOf(Tiers, sample.Tier) is >= 0 and var tier ? tier : Tiers.Length)
            .ThenBy(sample => sample.Instance.Length).ThenBy(sample => sample.Service + sample.Instance, StringComparer.Ordinal),
    };

    private static TopRow Row(Sample sample, ImmutableArray<Moment> moments)
    {
        var latency = moments.Select(moment => moment.Find(sample.Service, sample.Instance)?.Requests?.Latency).OfType<HistogramSnapshot>()
            .Aggregate(HistogramSnapshot.Empty, (sum, one) => sum.Plus(one));
        var (requests, process) = (sample.Requests, sample.Process);
        var whole = sample.Instance.Length == 0;
        return new TopRow(
            sample.Tier, sample.Service, sample.Instance,
            Round(requests?.Rate, 1), Round(requests?.ErrorShare, 4),
            latency.Count > 0 ? Round(latency.Quantile(0.5) / 1000, 3) : null, latency.Count > 0 ? Round(latency.Quantile(0.95) / 1000, 3) : null,
            requests?.Waiting, Round(process?.Cpu, 4), (long?)process?.Memory, sample.Tier == "machine" ? null : (int?)process?.Restarts,
            whole || process is null ? null : (InstanceState)process.State,
            whole && sample.Tier != "machine" ? process?.Healthy : null, whole && sample.Tier != "machine" ? process?.Instances : null,
            Round(sample.Saturation?.Share, 3), sample.Saturation?.Limit);
    }

    private static double? Round(double? value, int digits) => value is { } known ? Math.Round(known, digits) : null;
}
