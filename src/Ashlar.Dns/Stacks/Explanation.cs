using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Ashlar.Catalog;
using Ashlar.Dns.Resolving;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Stacks;

/// <summary>Why a question has the answer that it has.</summary>
/// <param name="Name">What was asked about.</param>
/// <param name="Type">What of it.</param>
/// <param name="Steps">The way to the answer, a sentence each.</param>
/// <param name="Code">How it was answered: <c>NOERROR</c>; <c>NONE</c>: not at all.</param>
/// <param name="Answers">The records of the answer, as lines of a master file.</param>
public sealed record Explanation(string Name, string Type, ImmutableArray<string> Steps, string Code, ImmutableArray<string> Answers)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    /// <summary>Explains, and asks the name server itself for the answer.</summary>
    /// <param name="snapshot">What it answers from.</param>
    /// <param name="server">Where it listens.</param>
    /// <param name="question">The question.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<Explanation> OfAsync(CatalogSnapshot snapshot, IPEndPoint server, Question question, CancellationToken cancellation)
    {
        var steps = Way(snapshot, question);
        Response? response = null;
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
        {
            patience.CancelAfter(Patience);
            try
            {
                response = await Upstream.AskAsync(server, UpstreamQuery.Of(question, signed: false, @unchecked: false, mixed: false), patience.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
            }
        }

        steps.Add(response is null ? $"The name server on {server} does not answer." : $"The name server on {server} answers {Show(response.Code)}, {Count(response.Answers.Length, "record")}.");
        return new Explanation(question.Name.ToString(), question.Type.Print(), [.. steps], response is null ? "NONE" : Show(response.Code), [.. response?.Answers.Select(record => record.ToString()) ?? []]);
    }

    /// <summary>The steps, as far as the catalog knows. Pure, but for the master files that it reads.</summary>
    internal static List<string> Way(CatalogSnapshot snapshot, Question question)
    {
        var fronts = Front.Of(snapshot.Dns?.Fronts ?? [], []);
        var zones = StackZones.Of(snapshot, fronts, File.ReadAllText);
        var steps = new List<string>();
        foreach (var broken in zones.Where(zone => !zone.Mistakes.IsEmpty && question.Name.IsUnder(zone.Name)))
        {
            steps.Add($"The zone {broken.Name} has mistakes, so what it was before is answered: {broken.Mistakes[0]}.");
        }

        var set = LiveZones.Of([.. zones.Where(zone => zone.Mistakes.IsEmpty)], fronts, _ => 1, _ => null);
        if (set.For(question.Name) is { } zone)
        {
            steps.Add($"{question.Name} lies in the zone {zone.Apex}, which this stack answers for.");
            Within(zone, zones.First(known => known.Name.Equals(zone.Apex)), fronts, question, steps);
        }
        else if (InsideZones.Of(snapshot).For(question.Name) is { } inside)
        {
            steps.Add($"{question.Name} lies in {inside.Apex}: names of the stack's own programs. Loopback and the stack's machines are answered, everybody else is refused.");
            steps.Add(inside.Find(question.Name) is null ? "No service or engine has that name." : "It is at its door on loopback; its port stands in a SRV record beside it.");
        }
        else
        {
            steps.Add($"{question.Name} lies in none of the stack's zones. Everybody but loopback and the stack's machines is refused.");
            steps.Add(snapshot.Dns is { ResolvesNothing: true } ? "dns.resolvers is off, so these are refused too."
                : snapshot.Dns is { Resolvers: { IsEmpty: false } given } ? $"For these {string.Join(", ", given)} of dns.resolvers are asked."
                : "For these the resolvers of /etc/resolv.conf are asked.");
        }

        return steps;
    }

    private static void Within(Zone zone, StackZone parts, ImmutableArray<Front> fronts, Question question, List<string> steps)
    {
        var name = question.Name;
        var owner = name;
        if (zone.Find(name) is not { } node)
        {
            var closest = name;
            while (zone.Find(closest) is null)
            {
                closest = closest.Parent;
            }

            owner = closest.Wildcard();
            if (owner is null || zone.Find(owner) is not { } wildcard)
            {
                steps.Add($"There is no such name: the closest that exists is {closest}, and it has no wildcard. The answer is NXDOMAIN, kept for {zone.Negative.TimeToLive} s.");
                return;
            }

            steps.Add($"There is no such name, but {owner} stands for all that are not there below {closest}.");
            node = wildcard;
        }

        var cut = Enumerable.Range(zone.Apex.LabelCount + 1, Math.Max(0, name.LabelCount - zone.Apex.LabelCount)).Select(name.Last)
            .FirstOrDefault(above => zone.Find(above)?.Of(RecordType.NS) is { IsEmpty: false });
        if (cut is not null)
        {
            steps.Add($"{cut} is delegated: its own servers are named in the answer.");
            return;
        }

        var its = parts.Records.Where(record => record.Record.Name.Equals(owner)).ToArray();
        steps.Add(node.Types.Count == 0 ? $"{owner} has no records of its own; there are names below it."
            : $"{owner} has {string.Join(", ", its.Select(record => record.Record.Type).Distinct().Order().Select(type => type.Print()))}.");
        foreach (var record in its.Where(record => record.Record.Type == question.Type || record.Record.Type is RecordType.CNAME or RecordType.ALIAS && question.Type is RecordType.A or RecordType.AAAA))
        {
            steps.Add($"{record.Record} comes from {Source(record)}.");
        }

        if (its.Any(record => record.Origin == RecordOrigin.Host) && question.Type is RecordType.A or RecordType.AAAA)
        {
            Health(fronts, steps);
        }

        if (its.FirstOrDefault(record => record.Record.Type == RecordType.ALIAS) is { } alias && question.Type is RecordType.A or RecordType.AAAA)
        {
            steps.Add($"It is an ALIAS: the addresses of {DnsName.FromWire(alias.Record.Data.Octets)} are given as its own. Where that is a name of others, they are asked beforehand, and the last good answer stays.");
        }
        else if (node.Types.Count > 0 && question.Type != RecordType.ANY && node.Of(question.Type).IsEmpty && node.Of(RecordType.CNAME).IsEmpty)
        {
            steps.Add($"None of them is {question.Type.Print()}: the answer has no records, and that is kept for {zone.Negative.TimeToLive} s.");
        }
    }

    private static void Health(ImmutableArray<Front> fronts, List<string> steps)
    {
        foreach (var front in fronts)
        {
            steps.Add($"{(front.Machine.Length == 0 ? "This machine" : front.Machine)} ({string.Join(", ", front.Edge)}): its edge {(front.Healthy ? "serves" : "does not serve, or the machine is not reached")}.");
        }

        if (!fronts.Any(front => front.Healthy))
        {
            steps.Add("No edge serves, so all addresses are given: one that may work is better than none.");
        }
    }

    /// <summary>Where a record comes from, for people.</summary>
    public static string Source(StackRecord record) => record.Origin switch
    {
        RecordOrigin.File => record.Place,
        RecordOrigin.Stack => $"the stack file ({record.Place})",
        RecordOrigin.Added => "ashlar dns add",
        RecordOrigin.Host => record.Place.Length == 0 ? "the catalog (the stack's edge)" : $"the catalog (the edge of {record.Place})",
        _ => "what every zone needs",
    };

    private static string Show(ResponseCode code) => code switch
    {
        ResponseCode.NoError => "NOERROR",
        ResponseCode.FormatError => "FORMERR",
        ResponseCode.ServerFailure => "SERVFAIL",
        ResponseCode.NameError => "NXDOMAIN",
        ResponseCode.NotImplemented => "NOTIMP",
        ResponseCode.Refused => "REFUSED",
        _ => code.ToString(),
    };

    private static string Count(int number, string what) => string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");
}
