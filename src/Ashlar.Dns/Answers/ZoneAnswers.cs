using System.Collections.Immutable;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Answers;

/// <summary>Answers questions from a zone: RFC 1034 (4.3.2) with wildcards of RFC 4592 and DNAME of RFC 6672. Pure.</summary>
public static class ZoneAnswers
{
    // A chain of aliases within a zone that is longer than this is a mistake of the zone.
    private const int MostAliases = 16;

    /// <summary>Answers a question about a name in the zone.</summary>
    public static Response Answer(Zone zone, Question question)
    {
        var answers = ImmutableArray.CreateBuilder<Record>();
        var name = question.Name;
        for (var aliases = 0; ; aliases++)
        {
            var found = Find(zone, name);
            switch (found)
            {
                case Found.Delegated delegated:
                    return Refer(zone, delegated, question, answers, aliases);
                case Found.Renamed renamed:
                    var told = answers.Contains(renamed.Alias[0]);
                    if (told && Target(renamed.Alias[0]).IsUnder(renamed.Alias[0].Name))
                    {
                        return Done(ResponseCode.NoError, []); // One that leads below itself has no end.
                    }

                    if (!told)
                    {
                        answers.Add(renamed.Alias[0]);
                    }

                    if (name.Rewritten(renamed.Alias[0].Name, Target(renamed.Alias[0])) is not { } renamedTo)
                    {
                        return Done(ResponseCode.NameTooLong, []);
                    }

                    answers.Add(new Record(name, RecordType.CNAME, renamed.Alias[0].TimeToLive, new RecordData(renamedTo.Wire.ToArray())));
                    if (question.Type == RecordType.CNAME || aliases == MostAliases || !renamedTo.IsUnder(zone.Apex) || IsTold(answers, renamedTo))
                    {
                        return Done(ResponseCode.NoError, []);
                    }

                    name = renamedTo;
                    continue;
                case Found.Missing:
                    return Done(ResponseCode.NameError, [zone.Negative]);
                case Found.Present present:
                    if (question.Type == RecordType.ANY)
                    {
                        return AnswerAny(zone, name, present, answers);
                    }

                    if (question.Type is RecordType.A or RecordType.AAAA && !present.Node.Of(RecordType.ALIAS).IsEmpty)
                    {
                        return new Response { Code = ResponseCode.ServerFailure }; // Where it leads is not known yet.
                    }

                    if (present.Node.Of(question.Type) is { IsEmpty: false } wanted)
                    {
                        answers.AddRange(Owned(wanted, name));
                        return Positive(zone, question, answers);
                    }

                    if (present.Node.Of(RecordType.CNAME) is not { IsEmpty: false } alias)
                    {
                        return Done(ResponseCode.NoError, [zone.Negative]);
                    }

                    answers.AddRange(Owned(alias, name));
                    var target = Target(alias[0]);
                    if (aliases == MostAliases || !target.IsUnder(zone.Apex) || IsTold(answers, target))
                    {
                        return Done(ResponseCode.NoError, []);
                    }

                    name = target;
                    continue;
                default:
                    throw new InvalidOperationException($"{found.GetType().Name} is not answered.");
            }
        }

        Response Done(ResponseCode code, ImmutableArray<Record> authorities) =>
            new() { Code = code, IsAuthoritative = true, Answers = answers.ToImmutable(), Authorities = authorities };
    }

    private static Response Positive(Zone zone, Question question, ImmutableArray<Record>.Builder answers)
    {
        var servers = zone.Find(zone.Apex)!.Of(RecordType.NS);
        var told = question.Type == RecordType.NS && answers.Any(answer => answer.Type == RecordType.NS && answer.Name.Equals(zone.Apex));
        ImmutableArray<Record> authorities = told ? [] : servers;
        var response = new Response { IsAuthoritative = true, Answers = answers.ToImmutable(), Authorities = authorities };
        return response with { Additionals = Addresses(zone, [.. response.Answers, .. authorities], response.Answers) };
    }

    // One set of records instead of all: enough for who looks, and too little for who aims at others (RFC 8482).
    private static Response AnswerAny(Zone zone, DnsName name, Found.Present present, ImmutableArray<Record>.Builder answers)
    {
        if (present.Node.Types.Count == 0)
        {
            return new Response { IsAuthoritative = true, Answers = answers.ToImmutable(), Authorities = [zone.Negative] };
        }

        answers.AddRange(Owned(present.Node.Types.OrderBy(type => type.Key).First().Value, name));
        return new Response { IsAuthoritative = true, Answers = answers.ToImmutable() };
    }

    private static Response Refer(Zone zone, Found.Delegated delegated, Question question, ImmutableArray<Record>.Builder answers, int aliases)
    {
        // What is at the cut and not below belongs to this side of it (RFC 4035, 3.1.4.1).
        if (question.Type == RecordType.DS && delegated.IsCut)
        {
            return delegated.Node.Of(RecordType.DS) is { IsEmpty: false } signers
                ? new Response { IsAuthoritative = true, Answers = [.. answers, .. signers] }
                : new Response { IsAuthoritative = true, Answers = answers.ToImmutable(), Authorities = [zone.Negative] };
        }

        var servers = delegated.Node.Of(RecordType.NS);
        return new Response
        {
            IsAuthoritative = aliases > 0,
            Answers = answers.ToImmutable(),
            Authorities = servers,
            Additionals = Addresses(zone, servers, []),
        };
    }

    /// <summary>Addresses of the hosts that records name, as far as the zone knows them.</summary>
    private static ImmutableArray<Record> Addresses(Zone zone, IEnumerable<Record> of, ImmutableArray<Record> told) =>
    [
        .. of.Select(Host).OfType<DnsName>().Distinct().Where(host => host.IsUnder(zone.Apex))
            .SelectMany(host => Host(zone, host) is { } node
                ? node.Of(RecordType.A).Concat(node.Of(RecordType.AAAA)).Select(record => record with { Name = host })
                : []).Where(record => !told.Contains(record)),
    ];

    private static ZoneNode? Host(Zone zone, DnsName host) => zone.Find(host) ?? (Find(zone, host) is Found.Present { Node: var node } ? node : null);

    private static DnsName? Host(Record record) => record.Type switch
    {
        RecordType.NS => Target(record),
        RecordType.MX => DnsName.FromWire(record.Data.Octets[2..]),
        RecordType.SRV => DnsName.FromWire(record.Data.Octets[6..]),
        _ => null,
    };

    private static DnsName Target(Record alias) => DnsName.FromWire(alias.Data.Octets)!;

    private static bool IsTold(IEnumerable<Record> answers, DnsName name) => answers.Any(answer => answer.Type == RecordType.CNAME && answer.Name.Equals(name));

    // What a wildcard has is told as the name's that was asked for.
    private static IEnumerable<Record> Owned(ImmutableArray<Record> records, DnsName name) => records.Select(record => record.Name.Equals(name) ? record : record with { Name = name });

    /// <summary>Goes down from the apex to a name: cuts and DNAMEs on the way stand before what is below them.</summary>
    private static Found Find(Zone zone, DnsName name)
    {
        ZoneNode? closest = null;
        for (var labels = zone.Apex.LabelCount; labels <= name.LabelCount; labels++)
        {
            var here = name.Last(labels);
            if (zone.Find(here) is not { } node)
            {
                return name.Last(labels - 1).Wildcard() is { } wildcard && zone.Find(wildcard) is { } synthesised
                    ? synthesised.Of(RecordType.NS) is { IsEmpty: false } ? new Found.Delegated(synthesised, IsCut: false) : new Found.Present(synthesised)
                    : new Found.Missing();
            }

            closest = node;
            if (labels > zone.Apex.LabelCount && !node.Of(RecordType.NS).IsEmpty)
            {
                return new Found.Delegated(node, labels == name.LabelCount);
            }

            if (labels < name.LabelCount && node.Of(RecordType.DNAME) is { IsEmpty: false } alias)
            {
                return new Found.Renamed(alias);
            }
        }

        return new Found.Present(closest!);
    }

    private abstract record Found
    {
        /// <summary>It is there, or a wildcard stands for it.</summary>
        public sealed record Present(ZoneNode Node) : Found;

        /// <summary>It is not.</summary>
        public sealed record Missing : Found;

        /// <summary>It is at or below a cut.</summary>
        public sealed record Delegated(ZoneNode Node, bool IsCut) : Found;

        /// <summary>It is below a DNAME.</summary>
        public sealed record Renamed(ImmutableArray<Record> Alias) : Found;
    }
}
