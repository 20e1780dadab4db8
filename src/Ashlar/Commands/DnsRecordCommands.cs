using System.Buffers;
using System.Collections.Immutable;
using System.CommandLine;
using System.Net;
using System.Text;
using Ashlar.Agent.Api;
using Ashlar.Dns;
using Ashlar.Dns.Stacks;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar dns list|add|rm|import|explain</c>: the records of a running stack.</summary>
internal static class DnsRecordCommands
{
    private static readonly RecordType[] EndsWithName = [RecordType.CNAME, RecordType.NS, RecordType.MX, RecordType.SRV, RecordType.PTR, RecordType.DNAME, RecordType.ALIAS];

    public static IEnumerable<Command> Create(Cli cli)
    {
        yield return List(cli);
        yield return Add(cli);
        yield return Remove(cli);
        yield return Import(cli);
        yield return Explain(cli);
    }

    private static Command List(Cli cli)
    {
        var zone = new Argument<string?>("ZONE") { Arity = ArgumentArity.ZeroOrOne, Description = "one zone; none: all" };
        return VerbCall.Command(cli, "list", "list the records, and where each comes from", [zone], async (call, cancellation) =>
        {
            var dns = await AskAsync(call, cancellation);
            var fronts = Front.Of(dns.Snapshot.Dns?.Fronts ?? [], Front.OfThisMachine());
            var zones = StackZones.Of(dns.Snapshot, fronts, File.ReadAllText);
            if (call.Value(zone) is { } wanted)
            {
                zones = [.. zones.Where(known => known.Name.Equals(Zone(wanted)))];
                if (zones.IsEmpty) throw DnsErrors.NoZone(wanted, [.. dns.Snapshot.Dns!.Zones.Select(known => known.Name)]);
            }

            var serving = fronts.Where(front => front.Healthy).Select(front => front.Machine).ToHashSet(StringComparer.Ordinal);
            var lines = zones.SelectMany(known => known.Records.Select(record => new RecordLine(
                known.Name.ToString(), record.Record.Name.ToString(), record.Record.TimeToLive, record.Record.Type.Print(), record.Record.PrintData(), Explanation.Source(record),
                record.Origin != RecordOrigin.Host || serving.Count == 0 || serving.Contains(record.Place))));
            var report = new RecordsReport([.. lines], [.. zones.SelectMany(known => known.Mistakes)]);
            call.Print(report, CliJson.Default.RecordsReport, Render);
            return ExitCodes.Ok;
        });
    }

    private static Command Add(Cli cli)
    {
        var name = new Argument<string>("NAME") { Description = "name of the record: www.example.com, or www and @ where the stack has one zone" };
        var type = new Argument<string>("TYPE") { Description = "A, AAAA, CNAME, ALIAS, MX, TXT, SRV, CAA, …" };
        var data = new Argument<string[]>("DATA") { Arity = ArgumentArity.OneOrMore, Description = "what it says; a name with a dot in it stands for itself" };
        var life = new Option<string?>("--ttl") { Description = "time that it may be kept, such as 60 or 1h", HelpName = "TIME" };
        return VerbCall.Command(cli, "add", "add a record", [name, type, data, life], async (call, cancellation) =>
        {
            var (zone, owner) = await OwnerAsync(call, call.Value(name)!, cancellation);
            var words = call.Value(data)!.Select(Quoted).ToArray();
            if (RecordTypes.TryParse(call.Value(type), out var known) && EndsWithName.Contains(known) && words[^1].Contains('.') && words[^1][^1] != '.') words[^1] += ".";
            return await ChangeAsync(call, new DnsArguments([new DnsLine(zone, $"{owner} {call.Value(life)} {call.Value(type)} {string.Join(' ', words)}")], []), cancellation);
        });
    }

    private static Command Remove(Cli cli)
    {
        var name = new Argument<string>("NAME") { Description = "name of the record" };
        var type = new Argument<string?>("TYPE") { Arity = ArgumentArity.ZeroOrOne, Description = "its type; none: all that were added to the name" };
        var data = new Argument<string[]>("DATA") { Arity = ArgumentArity.ZeroOrMore, Description = "what it says; none: all of the type" };
        return VerbCall.Command(cli, "rm", "take away records that were added", [name, type, data], async (call, cancellation) =>
        {
            var (zone, owner) = await OwnerAsync(call, call.Value(name)!, cancellation);
            var words = call.Value(data)!.Select(Quoted).ToArray();
            if (words.Length > 0 && RecordTypes.TryParse(call.Value(type), out var known) && EndsWithName.Contains(known) && words[^1].Contains('.') && words[^1][^1] != '.') words[^1] += ".";
            return await ChangeAsync(call, new DnsArguments([], [new DnsLine(zone, $"{owner} {call.Value(type)} {string.Join(' ', words)}".TrimEnd())]), cancellation);
        });
    }

    private static Command Import(Cli cli)
    {
        var file = new Argument<string>("FILE") { Description = "master file of a zone" };
        var zone = new Option<string?>("--zone") { Description = "name of the zone, for a file that does not begin with $ORIGIN", HelpName = "NAME" };
        return VerbCall.Command(cli, "import", "add the records of a master file; its SOA and the zone's servers are left out", [file, zone], async (call, cancellation) =>
        {
            var apex = call.Value(zone) is { } named ? Zone(named) : null;
            var path = Path.GetFullPath(call.Value(file)!, cli.Folder);
            var (records, mistakes) = MasterFile.Read(await DnsCommand.ReadAsync(path, cancellation), call.Value(file)!, apex);
            if (!mistakes.IsEmpty) throw DnsErrors.ZoneBroken(call.Value(file)!, [.. mistakes.Select(mistake => mistake.ToString())]);
            apex ??= records.FirstOrDefault(line => line.Record.Type == RecordType.SOA).Record?.Name ?? throw CliErrors.Usage("dns", "the file has no SOA record: name the zone by --zone.");
            var taken = records.Select(line => line.Record).Where(record => record.Type != RecordType.SOA && !(record.Type == RecordType.NS && record.Name.Equals(apex)));
            return await ChangeAsync(call, new DnsArguments([.. taken.Select(record => new DnsLine(apex.ToString(), record.ToString()))], []), cancellation);
        });
    }

    private static Command Explain(Cli cli)
    {
        var name = new Argument<string>("NAME") { Description = "name to ask about" };
        var type = new Argument<string?>("TYPE") { Arity = ArgumentArity.ZeroOrOne, Description = "type of record; default: A" };
        return VerbCall.Command(cli, "explain", "say step by step why the answer to a question is what it is", [name, type], async (call, cancellation) =>
        {
            var asked = RecordType.A;
            if (call.Value(type) is { } text && !RecordTypes.TryParse(text, out asked)) throw CliErrors.Usage("dns", $"'{text}' is no type of a record.");
            var dns = await AskAsync(call, cancellation);
            var address = IPAddress.Parse(dns.Address);
            var server = new IPEndPoint(address.Equals(IPAddress.Any) ? IPAddress.Loopback : address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : address, dns.Port);
            var explanation = await Explanation.OfAsync(dns.Snapshot, server, new Question(Zone(call.Value(name)!), asked), cancellation);
            call.Print(explanation, CliJson.Default.Explanation, static (screen, report) => string.Concat(report.Steps.Select((step, i) => $"{i + 1}. {step}\n"))
                + string.Concat(report.Answers.Select(answer => $"   {screen.Paint(answer, Ink.Good)}\n")));
            return ExitCodes.Ok;
        });
    }

    private static async Task<int> ChangeAsync(VerbCall call, DnsArguments arguments, CancellationToken cancellation)
    {
        var change = await call.OrderAsync(AgentVerbs.DnsChange, arguments, AgentJson.Default.DnsArguments, AgentJson.Default.DnsChange, "telling the name servers", cancellation) ?? new DnsChange([], []);
        call.Print(change, CliJson.Agent.DnsChange, static (_, done) => done.Added.IsEmpty && done.Removed.IsEmpty ? "nothing to do\n"
            : string.Concat(done.Removed.Select(record => $"removed {record}\n").Concat(done.Added.Select(record => $"added {record}\n"))));
        return ExitCodes.Ok;
    }

    private static async Task<DnsResult> AskAsync(VerbCall call, CancellationToken cancellation)
    {
        await using var agent = await call.AgentAsync(cancellation);
        return await Agents.AgentCalls.AskAsync(agent, AgentVerbs.Dns, AgentJson.Default.DnsResult, null, cancellation) ?? throw DnsErrors.NotAsked();
    }

    // A name lies in the zone with the longest name; where the stack has one zone alone, one that lies in none is its own.
    private static async Task<(string Zone, DnsName Owner)> OwnerAsync(VerbCall call, string text, CancellationToken cancellation)
    {
        var zones = (await AskAsync(call, cancellation)).Snapshot.Dns?.Zones.Select(zone => DnsName.Parse(zone.Name)).ToArray() ?? [];
        if (text != "@" && zones.Where(Zone(text).IsUnder).MaxBy(zone => zone.LabelCount) is { } zone)
        {
            return (zone.ToString(), Zone(text));
        }

        return zones is [var only] && !text.Contains('.', StringComparison.Ordinal) && DnsName.TryParse(text, only, out var owner, out _)
            ? (only.ToString(), owner) : throw DnsErrors.NoZone(text, [.. zones.Select(known => known.ToString())]);
    }

    private static DnsName Zone(string text) =>
        DnsName.TryParse(text == "@" ? "." : text, DnsName.Root, out var name, out var mistake) ? name : throw CliErrors.Usage("dns", $"'{text}' is no domain name: {mistake}.");

    private static readonly SearchValues<char> _special = SearchValues.Create(" \t;()\"");

    // The shell has taken the quotes away.
    private static string Quoted(string word) => word is ['"', ..] || !word.AsSpan().ContainsAny(_special) ? word : $"\"{word.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static string Render(Screen screen, RecordsReport report)
    {
        var text = new StringBuilder();
        foreach (var mistake in report.Mistakes) text.Append(screen.Paint("error", Ink.Bad)).Append(' ').Append(mistake).Append('\n');
        var table = new Table(new Column("NAME"), new Column("TTL", Right: true), new Column("TYPE"), new Column("DATA"), new Column("FROM"));
        foreach (var line in report.Records) table.Add(line.Name, line.Ttl.ToString(), line.Type, line.Data, new Cell(line.Given ? line.From : $"{line.From}: left out, it does not serve", line.Given ? Ink.Plain : Ink.Bad));
        return text.Append(table.Render(screen)).ToString();
    }
}

/// <summary>What <c>dns list --json</c> writes.</summary>
/// <param name="Records">The records, zone after zone.</param>
/// <param name="Mistakes">Why a zone is answered as it was before.</param>
internal sealed record RecordsReport(ImmutableArray<RecordLine> Records, ImmutableArray<ZoneMistake> Mistakes);

/// <summary>A record of <c>dns list</c>.</summary>
/// <param name="Zone">Its zone.</param>
/// <param name="Name">Its name.</param>
/// <param name="Ttl">Seconds that it may be kept.</param>
/// <param name="Type">Its type.</param>
/// <param name="Data">What it says.</param>
/// <param name="From">Where it comes from.</param>
/// <param name="Given">False: it is left out of answers, because what is there does not serve.</param>
internal sealed record RecordLine(string Zone, string Name, uint Ttl, string Type, string Data, string From, bool Given);
