using Ashlar.Agent.Reconciling;
using Ashlar.Catalog;

namespace Ashlar.Agent.Operations;

/// <summary>Turns what changes among the instances into lines for people.</summary>
internal sealed class Progress(Action<string> tell)
{
    private readonly Dictionary<string, (InstanceState State, string Detail)> _told = new(StringComparer.Ordinal);
    private const int LinesTold = 5;
    private bool _begun;

    /// <summary>Tells what has changed since the last time; the first time is where it begins from.</summary>
    public void Look(IEnumerable<ObservedInstance> observed)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var lines = new List<(bool Healthy, string Text)>();
        foreach (var o in observed)
        {
            seen.Add(o.Id);
            var state = (o.State, o.Detail);
            if (_told.TryGetValue(o.Id, out var before) && before == state)
            {
                continue;
            }

            _told[o.Id] = state;
            if (_begun && Line(o) is { } line)
            {
                lines.Add((o.State == InstanceState.Healthy, line));
            }
        }

        // A new instance is healthy before the old one of its name drains, and is told of first.
        foreach (var (_, text) in lines.OrderByDescending(line => line.Healthy))
        {
            tell(text);
        }

        foreach (var gone in _told.Keys.Where(id => !seen.Contains(id)).ToArray())
        {
            _told.Remove(gone);
        }

        _begun = true;
    }

    private static string? Line(ObservedInstance o) => o.State switch
    {
        InstanceState.Starting => $"{o.Name} starting{Release(o)}",
        InstanceState.Healthy => $"{o.Name} healthy{Release(o)}",
        InstanceState.Unhealthy => $"{o.Name} unhealthy: {o.Detail}",
        InstanceState.Draining => $"{o.Name} draining{Release(o)}",
        InstanceState.Stopping => o.Detail.Length > 0 ? $"{o.Name} {o.Detail}" : $"{o.Name} stopping{Release(o)}",
        InstanceState.Stopped => $"{o.Name} stopped{Release(o)}",
        InstanceState.Backoff or InstanceState.Crashed => Ended(o),
        _ => null,
    };

    // Told at the first crash, and not only when it is one of a loop: whoever waits wants to know now.
    private static string Ended(ObservedInstance o)
    {
        var times = o.Restarts > 1 && o.State == InstanceState.Backoff ? $", crashed {o.Restarts} times" : "";
        var lines = o.Restarts == 1 ? o.LastLines.TakeLast(LinesTold).ToArray() : [];
        var next = o.State == InstanceState.Backoff ? "; it is started again" : "";
        return $"{o.Name} {o.Detail}{times}{next}"
            + (lines.Length == 0 ? "" : $". Its last lines:{string.Concat(lines.Select(line => $"\n    {line}"))}");
    }

    private static string Release(ObservedInstance o) => o.Release.Length == 0 ? "" : $" ({o.Release})";
}
