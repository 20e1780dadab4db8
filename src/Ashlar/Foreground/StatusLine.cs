using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Output;

namespace Ashlar.Foreground;

/// <summary>The stack in one line: release, instances healthy of wanted, requests, what is going on, where it answers.</summary>
internal static class StatusLine
{
    /// <summary>The line.</summary>
    public static string Render(StatusReport report)
    {
        var services = report.Tiers.SelectMany(tier => tier.Services).ToList();
        var healthy = services.Sum(service => service.Instances.Count(instance => instance.State == InstanceState.Healthy));
        string[] parts =
        [
            report.Stack, report.Release, $"{healthy}/{services.Sum(service => service.Wanted)} healthy", Rate(report), report.Activity,
            string.Join(' ', report.Urls),
        ];
        return " " + string.Join("  ", parts.Where(part => part.Length > 0));
    }

    private static string Rate(StatusReport report) =>
        report.RequestsPerSecond is { } rate ? string.Create(CultureInfo.InvariantCulture, $"{rate:#,0} req/s") : "";

    /// <summary>Its colour.</summary>
    public static Ink InkOf(StatusReport report) => report switch
    {
        { Healthy: false, Activity: "" } => Ink.Bad,
        { Healthy: false } => Ink.Warning,
        _ => Ink.Good,
    };
}
