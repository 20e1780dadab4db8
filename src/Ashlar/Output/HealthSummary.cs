using System.Text;
using Ashlar.Catalog;

namespace Ashlar.Output;

/// <summary>Short health: one line for the stack, one for each service, and the last words of what is not healthy.</summary>
internal static class HealthSummary
{
    /// <summary>The summary as text.</summary>
    public static string Render(Screen screen, StatusReport report)
    {
        var text = new StringBuilder(ProcessTree.Head(screen, report));
        var services = report.Tiers.SelectMany(tier => tier.Services).ToList();
        var width = services.Select(service => service.Name.Length).DefaultIfEmpty().Max();
        foreach (var service in services)
        {
            var healthy = service.Instances.Count(instance => instance.State == InstanceState.Healthy);
            var count = $"{healthy}/{service.Wanted}";
            text.Append("  ").Append(service.Name.PadRight(width)).Append("  ")
                .Append(screen.Paint(count, healthy >= service.Wanted ? Ink.Good : Ink.Bad))
                .Append(ProcessTree.IsStopped(service) ? screen.Paint("  stopped", Ink.Dim) : "")
                .Append(service.Maintenance ? screen.Paint("  maintenance", Ink.Warning) : "")
                .Append('\n');
            foreach (var instance in service.Instances.Where(IsTroubled)) Troubled(text, screen, instance);
        }

        foreach (var note in report.Notes.IsDefault ? [] : report.Notes)
        {
            text.Append("  ").Append(screen.Paint(note, Ink.Warning)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The instances that are wanted and neither healthy nor on an orderly way out.</summary>
    public static IEnumerable<InstanceReport> Unhealthy(StatusReport report) =>
        report.Tiers.SelectMany(tier => tier.Services).SelectMany(service => service.Instances).Where(IsTroubled);

    /// <summary>One instance with its reason and its last lines.</summary>
    public static void Troubled(StringBuilder text, Screen screen, InstanceReport instance)
    {
        var state = instance.State.ToString().ToLowerInvariant();
        text.Append("    ").Append(instance.Name).Append(": ").Append(screen.Paint(state, ProcessTree.InkOf(instance.State)))
            .Append(instance.Detail.Length > 0 ? ", " + instance.Detail : "").Append('\n');
        foreach (var line in instance.LastLines)
        {
            text.Append(screen.Paint("      | ", Ink.Dim)).Append(line).Append('\n');
        }
    }

    private static bool IsTroubled(InstanceReport instance) =>
        instance.State is not (InstanceState.Healthy or InstanceState.Draining or InstanceState.Stopping or InstanceState.Stopped);
}
