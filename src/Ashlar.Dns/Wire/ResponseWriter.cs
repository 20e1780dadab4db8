using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Ashlar.Dns.Wire;

/// <summary>An answer to a question, before it is written.</summary>
public sealed record Response
{
    /// <summary>How it went.</summary>
    public ResponseCode Code { get; init; }

    /// <summary>True: this server has the last word on it.</summary>
    public bool IsAuthoritative { get; init; }

    /// <summary>True: this server would ask others for this client (RA).</summary>
    public bool IsRecursive { get; init; }

    /// <summary>True: who was asked says that it has proved it (AD, RFC 4035, 3.2.3).</summary>
    public bool IsProven { get; init; }

    /// <summary>True: there is more, over TCP (TC), though nothing of it was too long.</summary>
    public bool IsCut { get; init; }

    /// <summary>The answer.</summary>
    public ImmutableArray<Record> Answers { get; init; } = [];

    /// <summary>Who else is to be asked, or why there is no answer.</summary>
    public ImmutableArray<Record> Authorities { get; init; } = [];

    /// <summary>What will be asked next.</summary>
    public ImmutableArray<Record> Additionals { get; init; } = [];
}

/// <summary>Writes messages, with names compressed where that is allowed (RFC 1035, 4.1.4; RFC 3597, 4).</summary>
public static class ResponseWriter
{
    /// <summary>Octets that we take over UDP: more would be fragmented on the way (DNS flag day 2020).</summary>
    public const int OwnSize = 1232;

    private const int MostPointer = 0x3FFF;
    private const int OptLength = 11;

    /// <summary>Writes the response to a query.</summary>
    /// <param name="query">The query.</param>
    /// <param name="response">The answer.</param>
    /// <param name="into">Where to; no more is written. What does not fit is left out and the client told to ask over TCP.</param>
    /// <returns>Octets written.</returns>
    public static int Write(Query query, Response response, Span<byte> into)
    {
        var names = new Dictionary<DnsName, int>();
        var at = Query.HeaderLength;
        if (query.Question is { } question)
        {
            at = Name(question.Name, into, at, names);
            BinaryPrimitives.WriteUInt16BigEndian(into[at..], (ushort)question.Type);
            BinaryPrimitives.WriteUInt16BigEndian(into[(at + 2)..], (ushort)query.Class);
            at += 4;
        }

        var room = into[..^(query.HasEdns ? OptLength : 0)];
        Span<ushort> counts = [(ushort)(query.Question is null ? 0 : 1), 0, 0, 0];
        var truncated = response.IsCut || !Section(response.Answers, room, ref at, names, ref counts[1]) || !Section(response.Authorities, room, ref at, names, ref counts[2]);

        // Glue that does not fit is missed (RFC 9471); what else is additional can be asked for.
        truncated = truncated || (!Section(response.Additionals, room, ref at, names, ref counts[3]) && !response.IsAuthoritative);
        if (query.HasEdns)
        {
            into[at] = 0;
            BinaryPrimitives.WriteUInt16BigEndian(into[(at + 1)..], (ushort)RecordType.OPT);
            BinaryPrimitives.WriteUInt16BigEndian(into[(at + 3)..], OwnSize);
            BinaryPrimitives.WriteUInt32BigEndian(into[(at + 5)..], ((uint)response.Code >> 4 << 24) | (query.WantsSignatures ? 0x8000u : 0));
            BinaryPrimitives.WriteUInt16BigEndian(into[(at + 9)..], 0);
            at += OptLength;
            counts[3]++;
        }

        var flags = 0x8000 | (query.Operation << 11) | (response.IsAuthoritative ? 0x0400 : 0) | (truncated ? 0x0200 : 0)
            | (response.IsRecursive ? 0x0080 : 0) | (response.IsProven ? 0x0020 : 0) | (query.RecursionDesired ? 0x0100 : 0) | (query.CheckingDisabled ? 0x0010 : 0) | ((int)response.Code & 0xF);
        BinaryPrimitives.WriteUInt16BigEndian(into, query.Id);
        BinaryPrimitives.WriteUInt16BigEndian(into[2..], (ushort)flags);
        for (var i = 0; i < counts.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(into[(4 + (2 * i))..], counts[i]);
        }

        return at;
    }

    // A set of records is there whole or not at all (RFC 2181, 9). False: not all fitted.
    private static bool Section(ImmutableArray<Record> records, Span<byte> room, ref int at, Dictionary<DnsName, int> names, ref ushort count)
    {
        for (var i = 0; i < records.Length;)
        {
            var (begin, written) = (at, (ushort)0);
            var end = i;
            while (end < records.Length && records[end].Type == records[i].Type && records[end].Name.Equals(records[i].Name))
            {
                var next = One(records[end], room, at, names);
                if (next < 0)
                {
                    at = begin;
                    foreach (var name in names.Where(name => name.Value >= begin).Select(name => name.Key).ToArray())
                    {
                        names.Remove(name);
                    }

                    return false;
                }

                (at, written, end) = (next, (ushort)(written + 1), end + 1);
            }

            (count, i) = ((ushort)(count + written), end);
        }

        return true;
    }

    // Where the next one goes; -1: there is no room.
    private static int One(Record record, Span<byte> room, int at, Dictionary<DnsName, int> names)
    {
        var most = record.Name.Wire.Length + 10 + record.Data.Octets.Length;
        if (at + most > room.Length && at + LengthCompressed(record, names) > room.Length)
        {
            return -1;
        }

        at = Name(record.Name, room, at, names);
        BinaryPrimitives.WriteUInt16BigEndian(room[at..], (ushort)record.Type);
        BinaryPrimitives.WriteUInt16BigEndian(room[(at + 2)..], 1);
        BinaryPrimitives.WriteUInt32BigEndian(room[(at + 4)..], record.TimeToLive);
        var data = at + 10;
        var end = Data(record, room, data, names);
        BinaryPrimitives.WriteUInt16BigEndian(room[(at + 8)..], (ushort)(end - data));
        return end;
    }

    // Near the end of a message it is written aside first, where there is room for all of it.
    private static int LengthCompressed(Record record, Dictionary<DnsName, int> names)
    {
        var aside = new Dictionary<DnsName, int>(names);
        var room = new byte[record.Name.Wire.Length + 10 + record.Data.Octets.Length];
        var at = Name(record.Name, room, 0, aside);
        return Data(record, room, at + 10, aside);
    }

    private static int Data(Record record, Span<byte> into, int at, Dictionary<DnsName, int> names)
    {
        var rest = record.Data.Octets;
        foreach (var field in RecordFields.Of(record.Type) ?? [])
        {
            if (field is not RecordField.KnownName)
            {
                // Names that may be compressed stand before all else but numbers of a known length.
                var length = field switch
                {
                    RecordField.Octet => 1,
                    RecordField.Short => 2,
                    RecordField.Long or RecordField.Time => 4,
                    _ => rest.Length,
                };
                rest[..length].CopyTo(into[at..]);
                at += length;
                rest = rest[length..];
                continue;
            }

            var end = 1;
            for (var i = 0; rest[i] != 0; i += rest[i] + 1)
            {
                end += rest[i] + 1;
            }

            at = Name(DnsName.FromWire(rest[..end])!, into, at, names);
            rest = rest[end..];
        }

        rest.CopyTo(into[at..]);
        return at + rest.Length;
    }

    private static int Name(DnsName name, Span<byte> into, int at, Dictionary<DnsName, int> names)
    {
        while (!name.IsRoot)
        {
            if (names.TryGetValue(name, out var known))
            {
                BinaryPrimitives.WriteUInt16BigEndian(into[at..], (ushort)(0xC000 | known));
                return at + 2;
            }

            if (at <= MostPointer)
            {
                names.Add(name, at);
            }

            var label = name.Wire[0] + 1;
            name.Wire[..label].CopyTo(into[at..]);
            at += label;
            name = name.Parent;
        }

        into[at] = 0;
        return at + 1;
    }
}
