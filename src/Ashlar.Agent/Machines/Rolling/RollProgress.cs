using Ashlar.Agent.Operations;
using Ashlar.Agent.Reconciling;

namespace Ashlar.Agent.Machines.Rolling;

/// <summary>Turns what the machines tell while an order is carried out into lines for people.</summary>
internal sealed class RollProgress(Action<string> tell, string id)
{
    private readonly Dictionary<string, Progress> _told = new(StringComparer.Ordinal);
    private Roll? _last;
    private string? _leader;
    private string _silent = "";
    private string _halt = "";

    /// <summary>Tells what has changed since the last time.</summary>
    /// <param name="view">What is known of the machines.</param>
    /// <param name="isDeaf">True: the shared state has been out of reach for so long that nothing of this may be true any more.</param>
    public void Look(FleetView view, bool isDeaf)
    {
        TellHalt(isDeaf ? "The shared state is not reached: the order goes on when it is, or has ended meanwhile; Ctrl-C ends this command, not the order."
            : view.Leader is null ? "No machine leads now: the order goes on when one does."
            : "");
        if (_leader is not null && view.Leader is { } leader && leader != _leader)
        {
            tell($"{leader} leads now and goes on.");
        }

        _leader = view.Leader ?? _leader;
        if (view.Rolls.Present is { } roll && roll.Id == id)
        {
            TellTurns(roll);
            TellSilent(view);
            _last = roll;
        }

        foreach (var report in view.Reports.Values)
        {
            if (!_told.TryGetValue(report.Name, out var told))
            {
                _told[report.Name] = told = new Progress(line => tell($"{report.Name}: {line}"));
            }

            told.Look(report.Instances.Select(Seen));
        }
    }

    private void TellHalt(string line)
    {
        if (line != _halt && line.Length > 0)
        {
            tell(line);
        }

        _halt = line;
    }

    private void TellTurns(Roll roll)
    {
        if (roll is { GoesBack: true } && _last is not { GoesBack: true })
        {
            tell($"'{roll.Verb}' has failed{(roll.AtOnce ? "" : " and goes no further")}: what was ordered before is restored.");
        }

        var on = roll.LetOn.Except(_last?.LetOn ?? []);
        if (!roll.AtOnce && !on.IsEmpty)
        {
            tell($"{string.Join(", ", on)}: {(roll.Next.Release.Length > 0 ? roll.Next.Release : roll.Verb)}, machine {roll.LetOn.Count} of {roll.Order.Length}");
        }
    }

    private void TellSilent(FleetView view)
    {
        var silent = view.Records.Keys.Where(name => !view.Reports.ContainsKey(name)).ToArray();
        var line = silent.Length == 0 ? "" : $"{string.Join(", ", silent)} is silent: "
            + (RollRules.AreMostSilent(view) ? "nothing goes on until most machines are heard of again." : "what is ordered is pursued there when it comes back.");
        if (line != _silent && line.Length > 0)
        {
            tell(line);
        }

        _silent = line;
    }

    private static ObservedInstance Seen(MachineInstance instance) => new()
    {
        Tier = instance.Tier,
        Service = instance.Service,
        Index = instance.Index,
        Generation = long.TryParse(instance.Id.AsSpan(instance.Id.IndexOf('/') + 1), out var generation) ? generation : 0,
        Fingerprint = "",
        State = instance.Report.State,
        Detail = instance.Report.Detail,
        Release = instance.Report.Release,
        Restarts = instance.Report.Restarts,
        LastLines = instance.Report.LastLines,
    };
}
