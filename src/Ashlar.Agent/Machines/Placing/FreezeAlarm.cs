using System.Diagnostics;
using Ashlar.Agent.Hosting;

namespace Ashlar.Agent.Machines;

/// <summary>Says that nothing is moved because most machines are silent: for as long as it is so to whoever looks, once to the log.</summary>
internal sealed class FreezeAlarm(AgentLog log)
{
    private string _said = "";

    /// <summary>What people are to know; empty: things move as they should. Pure.</summary>
    /// <param name="view">What is known of the machines.</param>
    /// <param name="now">The present, by the clock of <see cref="FleetView.SilentSince"/>.</param>
    public static string Text(FleetView view, long now) => FleetPlacement.Judge(view, now) is { Frozen: true }
        ? $"{view.SilentSince.Count} of {view.Records.Count} machines are silent ({string.Join(", ", view.SilentSince.Keys)}): with more than half of them lost at once the network is "
            + "the more likely cause, so nothing is moved until they are heard again"
        : "";

    /// <summary>Looks at it on the machine that leads.</summary>
    public void Look(FleetView view)
    {
        var text = Text(view, Stopwatch.GetTimestamp());
        if (text == _said) return;
        if (text.Length > 0)
        {
            log.Warning(LogEvent.Machine, text);
        }
        else
        {
            log.Info(LogEvent.Machine, "most machines are heard again: what the silent ones had is placed as usual");
        }

        _said = text;
    }
}
