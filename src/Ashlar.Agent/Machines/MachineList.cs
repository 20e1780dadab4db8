using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Ashlar.Agent.Api;
using Ashlar.Fleet.Placement;
using Ashlar.Stack;

namespace Ashlar.Agent.Machines;

/// <summary>The machines for people: those that have joined, and those that the stack file names and that have not.</summary>
internal static class MachineList
{
    private static readonly TimeSpan EndsSoon = TimeSpan.FromDays(14);

    /// <summary>All of them.</summary>
    /// <param name="fleet">What is known; null: the stack stands on this machine alone.</param>
    /// <param name="named">Those that the stack file names.</param>
    /// <param name="now">The present.</param>
    public static MachinesResult Of(FleetLink? fleet, ImmutableSortedDictionary<string, MachineDefinition> named, DateTimeOffset now)
    {
        var there = fleet?.View.Records ?? ImmutableSortedDictionary<string, MachineRecord>.Empty;
        return new MachinesResult(
        [
            .. there.Values.Select(record => Line(fleet!, record, named.GetValueOrDefault(record.Name), now)),
            .. named.Where(machine => !there.ContainsKey(machine.Key)).Select(machine => Absent(machine.Key, machine.Value)),
        ]);
    }

    /// <summary>What of the machines is worth a warning.</summary>
    public static IEnumerable<string> Warnings(FleetLink fleet, DateTimeOffset now)
    {
        if (fleet.IsDeaf)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{fleet.Own.Name} last reached the shared state {fleet.Silence.TotalSeconds:0} s ago: what is shown of other machines is as old as that");
        }
        else if (FreezeAlarm.Text(fleet.View, Stopwatch.GetTimestamp()) is { Length: > 0 } frozen)
        {
            yield return frozen;
        }

        foreach (var record in fleet.View.Records.Values)
        {
            foreach (var note in Notes(fleet, record, now))
            {
                yield return $"{record.Name}: {note}";
            }
        }

        foreach (var (name, why) in fleet.View.Placement?.Pending ?? ImmutableSortedDictionary<string, string>.Empty)
        {
            yield return $"{name}: {why}";
        }
    }

    private static MachineLine Line(FleetLink fleet, MachineRecord record, MachineDefinition? named, DateTimeOffset now)
    {
        var view = fleet.View;
        var report = view.Reports.GetValueOrDefault(record.Name);
        var state = fleet.IsDeaf && record.Name != fleet.Own.Name ? "unknown" : report is not null ? "alive" : view.Placement?.Lost.Contains(record.Name) == true ? "lost" : "suspect";
        var takes = record.Admission switch
        {
            Admission.Closed => ", cordoned",
            Admission.Leaving => Draining.Leaving(view, record.Name, Draining.Stays(view, record.Name)).IsEmpty ? ", drained" : ", draining",
            _ => "",
        };
        var notes = Notes(fleet, record, now);
        if (named?.Address is { } address && address != record.Address)
        {
            notes = notes.Append($"the stack file says {address}");
        }

        return new MachineLine(record.Name, record.Address, state + takes, view.Leader == record.Name, report?.Instances.Length ?? 0, record.Memory, record.Cores, report?.ProgramVersion ?? "")
        {
            PeerPort = record.PeerPort,
            Labels = record.Labels.Union(named?.Labels ?? []),
            Note = string.Join("; ", notes),
        };
    }

    private static MachineLine Absent(string name, MachineDefinition named) => new(name, named.Address ?? "", "absent", Leads: false, 0, 0, 0, "")
    {
        Labels = named.Labels,
        Note = $"ashlar machines add {named.Address ?? "HOST"} --name {name}",
    };

    private static IEnumerable<string> Notes(FleetLink fleet, MachineRecord record, DateTimeOffset now)
    {
        if (fleet.IsDeaf && record.Name != fleet.Own.Name)
        {
            yield break; // All that was heard of it is past.
        }

        if (fleet.View.Reports.GetValueOrDefault(record.Name) is not { } report)
        {
            if (fleet.View.SilentSince.TryGetValue(record.Name, out var since))
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"silent for {Stopwatch.GetElapsedTime(since).TotalSeconds:0} s");
            }

            yield break;
        }

        if (record.Name != fleet.Own.Name && fleet.Clocks.Off(record.Name) is var off && off != TimeSpan.Zero)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"its clock is {Math.Abs(off.TotalSeconds):0} s {(off > TimeSpan.Zero ? "ahead" : "behind")} (timedatectl set-ntp true)");
        }

        foreach (var note in report.Notes)
        {
            yield return note;
        }

        if (report.Protocol is not 0 and not PeerFrames.Protocol)
        {
            yield return $"another version of Ashlar, protocol {report.Protocol}: orders do not pass between it and this machine";
        }

        if (report.CertificateUntil != default && report.CertificateUntil - now < EndsSoon)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"its certificate {(report.CertificateUntil < now ? "was" : "is")} good until {report.CertificateUntil:yyyy-MM-dd HH:mm}");
        }
    }
}
