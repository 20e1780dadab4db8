using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Catalog;

namespace Ashlar.Output;

/// <summary>The stack as the tree that it is: tier, service, instance, with what each costs.</summary>
internal static class ProcessTree
{
    private const int MostPids = 6;

    /// <summary>The whole tree, with a head line.</summary>
    public static string Render(Screen screen, StatusReport report, DateTimeOffset now)
    {
        var table = new Table(
            new("NAME"), new("STATE"), new("RELEASE"), new("UPTIME", Right: true), new("PORT", Right: true),
            new("CPU", Right: true), new("PSS", Right: true), new("RESTARTS", Right: true), new("PIDS"));
        Instance(table, "", report.Agent, now);
        foreach (var tier in report.Tiers)
        {
            table.Add(new Cell(tier.Name, Ink.Strong), "");
            for (var i = 0; i < tier.Services.Length; i++)
            {
                Service(table, tier.Services[i], last: i == tier.Services.Length - 1, now);
            }
        }

        return Head(screen, report) + "\n" + table.Render(screen);
    }

    /// <summary>The stack in one line: name, release, whether healthy, where it answers, what is going on.</summary>
    public static string Head(Screen screen, StatusReport report)
    {
        string[] parts =
        [
            screen.Paint(report.Stack, Ink.Strong),
            report.Release,
            (report.Healthy ? screen.Paint("healthy", Ink.Good) : screen.Paint("not healthy", Ink.Bad)) + Stopped(screen, report),
            .. report.Urls,
            report.Activity.Length > 0 ? screen.Paint(report.Activity, Ink.Warning) : "",
        ];
        return string.Join("  ", parts.Where(part => part.Length > 0)) + "\n";
    }

    /// <summary>The colour that a state is shown in.</summary>
    public static Ink InkOf(InstanceState state) => state switch
    {
        InstanceState.Healthy => Ink.Good,
        InstanceState.Pending or InstanceState.Starting => Ink.Warning,
        InstanceState.Draining or InstanceState.Stopping or InstanceState.Stopped => Ink.Dim,
        _ => Ink.Bad,
    };

    /// <summary>True: nothing of it runs, and nothing is to.</summary>
    public static bool IsStopped(ServiceReport service) => service is { Stopped: true, Instances.IsEmpty: true };

    // What is stopped by order does no harm to the stack's health, but who asks for it must not overlook it.
    private static string Stopped(Screen screen, StatusReport report)
    {
        var names = report.Tiers.SelectMany(tier => tier.Services).Where(IsStopped).Select(service => service.Name).ToArray();
        return names.Length == 0 ? "" : screen.Paint(names is [.. { Length: > 0 } before, var last]
            ? $", {string.Join(", ", before)} and {last} stopped" : $", {names[0]} stopped", Ink.Dim);
    }

    private static string State(InstanceReport instance)
    {
        var state = instance.State.ToString().ToLowerInvariant();
        var behind = (instance.LagBytes, instance.LagSeconds) switch
        {
            ({ } bytes, > 0 and { } seconds) => string.Create(CultureInfo.InvariantCulture, $", {Units.Bytes(bytes)} and {seconds:0.0} s behind"),
            ({ } bytes, _) => $", {Units.Bytes(bytes)} behind",
            _ => "",
        };
        return instance.Role is { } role ? $"{state} {role}{behind}" : state;
    }

    private static void Service(Table table, ServiceReport service, bool last, DateTimeOffset now)
    {
        var healthy = service.Instances.Count(instance => instance.State == InstanceState.Healthy);
        var name = $"{(last ? "└─" : "├─")} {service.Name} {healthy}/{service.Wanted}";
        table.Add(name, service.Maintenance ? new Cell("maintenance", Ink.Warning)
            : IsStopped(service) ? new Cell("stopped", Ink.Dim) : "");
        for (var i = 0; i < service.Instances.Length; i++)
        {
            var stem = last ? "   " : "│  ";
            Instance(table, stem + (i == service.Instances.Length - 1 ? "└─ " : "├─ "), service.Instances[i], now);
        }
    }

    private static void Instance(Table table, string stem, InstanceReport instance, DateTimeOffset now)
    {
        table.Add(
            stem + instance.Name + (instance.Machine.Length > 0 ? $" @{instance.Machine}" : ""),
            new Cell(State(instance), InkOf(instance.State)),
            instance.Release,
            instance.Started is { } started ? Units.Duration(now - started) : "",
            instance.Port > 0 ? instance.Port.ToString() : "",
            instance.Pids.IsEmpty ? "" : Units.Cpu(instance.Cpu),
            instance.Pids.IsEmpty ? "" : Units.Bytes(instance.Memory),
            instance.Restarts > 0 ? new Cell(instance.Restarts.ToString(), Ink.Warning) : "0",
            Pids(instance.Pids));
        if (instance.Detail.Length > 0)
        {
            table.Add(new Cell($"{stem.Replace("└─ ", "   ").Replace("├─ ", "│  ")}  {instance.Detail}", Ink.Dim));
        }
    }

    // A PostgreSQL under load has hundreds; --json gives them all.
    private static string Pids(ImmutableArray<int> pids) => pids.Length <= MostPids
        ? string.Join(' ', pids)
        : $"{string.Join(' ', pids.Take(MostPids - 1))} and {pids.Length - MostPids + 1} more";
}
