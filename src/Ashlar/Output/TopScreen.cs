using System.Globalization;
using Ashlar.Catalog;

namespace Ashlar.Output;

/// <summary>Shows a <see cref="TopReport"/>.</summary>
internal static class TopScreen
{
    private const double Near = 0.8, Half = 0.5;
    private const int Bar = 10;

    /// <summary>The whole of it.</summary>
    public static string Render(Screen screen, TopReport report)
    {
        var table = new Table(
            new("NAME"), new("REQ/S", Right: true), new("ERRORS", Right: true), new("P95", Right: true), new("WAITING", Right: true), new("CPU", Right: true),
            new("PSS", Right: true), new("RESTARTS", Right: true), new("LOAD"), new("STATE"));
        foreach (var row in report.Rows)
        {
            table.Add(
                row.Instance.Length > 0 ? new Cell("  " + row.Instance) : new Cell(row.Service, Ink.Strong),
                row.RequestsPerSecond is { } rate ? Number(rate) : "",
                row.ErrorShare is { } share && row.RequestsPerSecond > 0 ? new Cell(Percent(share), share > 0.01 ? Ink.Bad : share > 0 ? Ink.Warning : Ink.Plain) : "",
                row.P95Milliseconds is { } p95 ? Time(p95) : "",
                row.Waiting is { } waiting ? new Cell(Number(waiting), waiting > 0 ? Ink.Warning : Ink.Plain) : "",
                row.Cpu is { } cpu ? Units.Cpu(cpu) : "",
                row.Memory is { } memory ? Units.Bytes(memory) : "",
                row.Restarts is { } restarts ? new Cell(Number(restarts), restarts > 0 ? Ink.Warning : Ink.Plain) : "",
                row.Saturation is { } load ? new Cell(BarOf(load) + " " + row.Limit, load >= Near ? Ink.Bad : load >= Half ? Ink.Warning : Ink.Plain) : "",
                State(row));
        }

        var head = screen.Paint(report.Stack, Ink.Strong) + "  " + report.At.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture) + "\n";
        var reason = report.Bottleneck is { } bottleneck
            ? screen.Paint(Cut(screen, bottleneck.Reason), bottleneck.IsLimiting ? Ink.Bad : Ink.Dim) + "\n" : "";
        var problems = string.Concat(report.Problems.Select(problem => screen.Paint(Cut(screen, problem), Ink.Warning) + "\n"));
        return head + reason + problems + "\n" + table.Render(screen);
    }

    /// <summary>The line that says what keys do.</summary>
    public static string Keys(Screen screen, TopOrder order) =>
        screen.Paint(Cut(screen, $"sorted by {order.ToString().ToLowerInvariant()}: n name, c cpu, m memory, r requests · q quits"), Ink.Dim);

    private static Cell State(TopRow row) => row switch
    {
        { State: { } state } => new Cell(state.ToString().ToLowerInvariant(), state switch
        {
            InstanceState.Healthy => Ink.Good,
            InstanceState.Unhealthy or InstanceState.Crashed or InstanceState.Backoff => Ink.Bad,
            InstanceState.Stopped => Ink.Dim,
            _ => Ink.Warning,
        }),
        { Instances: { } instances } => new Cell($"{row.Healthy}/{instances}", row.Healthy == instances ? Ink.Good : row.Healthy == 0 ? Ink.Bad : Ink.Warning),
        _ => "",
    };

    private static string BarOf(double share)
    {
        var full = (int)Math.Round(Math.Clamp(share, 0, 1) * Bar);
        return new string('█', full) + new string('░', Bar - full);
    }

    private static string Cut(Screen screen, string text) => text.Length <= screen.Width ? text : text[..Math.Max(0, screen.Width - 1)] + "…";

    private static string Number(double value) => value.ToString(value is > 0 and < 9.95 && value != Math.Floor(value) ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Percent(double share) => (share * 100).ToString(share is > 0 and < 0.0995 ? "0.0" : "0", CultureInfo.InvariantCulture) + "%";

    private static string Time(double milliseconds) => milliseconds switch
    {
        < 9.95 => milliseconds.ToString("0.0", CultureInfo.InvariantCulture) + " ms",
        < 999.5 => milliseconds.ToString("0", CultureInfo.InvariantCulture) + " ms",
        _ => (milliseconds / 1000).ToString("0.0", CultureInfo.InvariantCulture) + " s",
    };
}
