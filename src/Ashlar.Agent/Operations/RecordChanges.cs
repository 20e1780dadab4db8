using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Agent.Desired;
using Ashlar.Catalog;
using Ashlar.Dns;
using Ashlar.Dns.Stacks;
using Ashlar.Dns.Wire;
using Ashlar.Stack;

namespace Ashlar.Agent.Operations;

/// <summary>What an order about records of DNS does to the desired state. Pure, but for the master files that it reads.</summary>
internal static class RecordChanges
{
    // They lie in one value of the store beside all other orders.
    private const int MostOfZone = 2000;
    private const int DefaultLife = 300;

    /// <summary>The next state, and what is different in it.</summary>
    /// <exception cref="Errors.AshlarException">ASH3107 to ASH3111.</exception>
    public static (DesiredState Next, DnsChange Change) Of(DesiredState state, StackDefinition stack, DnsArguments arguments, string folder, DateTimeOffset now)
    {
        var dns = stack.Dns ?? throw DnsErrors.NotAsked();
        var added = ImmutableArray.CreateBuilder<string>();
        var removed = ImmutableArray.CreateBuilder<string>();
        var records = state.Records;
        foreach (var line in arguments.Remove)
        {
            var zone = ZoneOf(dns, line.Zone);
            var its = records.GetValueOrDefault(zone.Name, []);
            var gone = its.Where(text => Fits(text, line.Text, zone)).ToArray();
            if (gone.Length == 0)
            {
                throw DnsErrors.NotAdded(line.Text, "it is none of those that were added");
            }

            removed.AddRange(gone);
            records = records.SetItem(zone.Name, its.RemoveRange(gone));
        }

        foreach (var zone in arguments.Add.GroupBy(line => ZoneOf(dns, line.Zone)))
        {
            var its = records.GetValueOrDefault(zone.Key.Name, []);
            var known = Known(zone.Key, its, folder).Records.Select(record => record.Record.ToString()).ToHashSet(StringComparer.Ordinal);
            foreach (var line in zone)
            {
                var (record, mistake) = StackZones.ReadLine(line.Text, DnsName.Parse(zone.Key.Name), (uint)(zone.Key.TimeToLive ?? DefaultLife));
                if (record is null)
                {
                    throw DnsErrors.BadRecord(line.Text, mistake!);
                }

                if (known.Add(record.ToString()))
                {
                    its = its.Add(record.ToString());
                    added.Add(record.ToString());
                }
            }

            Require(zone.Key, its, folder, zone.First().Text);
            records = records.SetItem(zone.Key.Name, its);
        }

        return (state with { Records = records, RecordsChanged = Math.Max(state.RecordsChanged + 1, now.ToUnixTimeSeconds()) }, new DnsChange(added.ToImmutable(), removed.ToImmutable()));
    }

    private static void Require(DnsZoneDefinition zone, ImmutableArray<string> its, string folder, string text)
    {
        if (its.Length > MostOfZone)
        {
            throw DnsErrors.TooMany(zone.Name, MostOfZone);
        }

        if (Known(zone, its, folder).Mistakes is [var mistake, ..])
        {
            throw DnsErrors.BadRecord(text, mistake.Text);
        }
    }

    // The zone as it would be without what the catalog adds.
    private static StackZone Known(DnsZoneDefinition zone, ImmutableArray<string> its, string folder)
    {
        var whole = new CatalogZone(zone.Name, zone.File, zone.TimeToLive ?? DefaultLife) { Records = zone.Records, Added = its };
        return StackZones.Judge(whole, file => File.ReadAllText(Path.GetFullPath(file, folder)));
    }

    // Of what is typed the first words count: a name, or a name and a type, or all.
    private static bool Fits(string text, string typed, DnsZoneDefinition zone)
    {
        var apex = DnsName.Parse(zone.Name);
        var words = typed.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        if (StackZones.ReadLine(text, apex, 0).Record is not { } record || !DnsName.TryParse(words[0], apex, out var name, out _) || !record.Name.Equals(name))
        {
            return false;
        }

        return words.Length == 1
            || (RecordTypes.TryParse(words[1], out var type) && type == record.Type
                && (words.Length == 2 || StackZones.ReadLine(typed, apex, 0).Record?.Data.Equals(record.Data) == true));
    }

    private static DnsZoneDefinition ZoneOf(DnsDefinition dns, string name) =>
        dns.Zones.FirstOrDefault(zone => string.Equals(zone.Name, name.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)) ?? throw DnsErrors.NoZone(name, [.. dns.Zones.Select(zone => zone.Name)]);
}
