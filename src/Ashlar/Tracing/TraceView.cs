using System.Globalization;
using System.Text;
using Ashlar.Output;

namespace Ashlar.Tracing;

/// <summary>A trace for people: words first, the numbers beside them, and where a step lies in the whole.</summary>
internal static class TraceView
{
    private const int Bar = 20;

    public static string Render(Screen screen, TraceReport report)
    {
        var text = new StringBuilder();
        var whole = string.Create(CultureInfo.InvariantCulture, $"{report.Took:0.00} ms");
        text.Append(screen.Paint($"{report.Method} {report.Url}", Ink.Strong)).Append("  ")
            .Append(report.Status is { } status ? screen.Paint($"{status}", status < 400 ? Ink.Good : Ink.Bad) : screen.Paint("no answer", Ink.Bad))
            .Append("  ").Append(whole).Append("  ").Append(screen.Paint($"trace {report.Trace}", Ink.Dim)).Append("\n\n");
        var table = new Table(new("STEP"), new("AT", Right: true), new("TOOK", Right: true), new(""), new("WHAT"));
        foreach (var step in report.Steps)
        {
            table.Add(
                $"{new string(' ', step.Depth * 2)}{step.Step}", Number(step.At), step.Took is { } took ? Number(took) : "",
                new Cell(BarOf(step, report.Took), Ink.Dim), Safe(step.Text));
        }

        text.Append(table.Render(screen));
        if (Slowest(report) is { Took: { } most } slowest && report.Took > 0)
        {
            text.Append('\n').Append("Most of it: ").Append(slowest.Step).Append(string.Create(CultureInfo.InvariantCulture, $", {most:0.00} of {report.Took:0.00} ms ({Math.Min(1, most / report.Took):P0}).\n"));
        }

        foreach (var note in report.Notes)
        {
            text.Append(screen.Paint(note, Ink.Dim)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The step that took longest, of those that hold no other: the edge holds its own steps, and an instance its statements. Nobody waited for a job.</summary>
    private static TraceStep? Slowest(TraceReport report) => report.Steps
        .Where(step => step.Took is > 0 && step.Step is not ("edge" or "job")).MaxBy(step => step.Took);

    private static string Number(double ms) => ms.ToString("0.00", CultureInfo.InvariantCulture);

    private static string BarOf(TraceStep step, double whole)
    {
        if (whole <= 0)
        {
            return "";
        }

        var begin = Math.Clamp((int)(step.At / whole * Bar), 0, Bar - 1);
        var length = Math.Clamp((int)Math.Round((step.Took ?? 0) / whole * Bar), step.Took > 0 ? 1 : 0, Bar - begin);
        return (new string(' ', begin) + (length == 0 ? "·" : new string('━', length))).PadRight(Bar);
    }

    // A server's words may hold what a terminal would obey.
    private static string Safe(string text) => new([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);
}
