using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Ashlar.Dns.Wire;

/// <summary>
/// A query that we send, and what is taken as its answer: only a message with its number and its question, letter for letter in the case that was
/// drawn by lot (RFC 5452; draft-vixie-dnsext-dns0x20).
/// </summary>
internal sealed class UpstreamQuery
{
    private const int MostRecords = 4096;

    // RRSIG, NSEC and NSEC3 (RFC 4034, RFC 5155): proofs that clients check who ask for them.
    private const RecordType Signature = (RecordType)46;
    private const RecordType NoName = (RecordType)47;
    private const RecordType NoNameHashed = (RecordType)50;
    private readonly byte[] _message;
    private readonly int _questionEnd;
    private readonly Question _question;

    private UpstreamQuery(byte[] message, int questionEnd, Question question) => (_message, _questionEnd, _question) = (message, questionEnd, question);

    /// <summary>The octets to send.</summary>
    public ReadOnlyMemory<byte> Message => _message;

    /// <summary>Makes one.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="signed">True: with the records of DNSSEC (DO).</param>
    /// <param name="unchecked">True: nothing is to be checked (CD).</param>
    /// <param name="mixed">True: in a case drawn by lot; some servers answer in one of their own.</param>
    public static UpstreamQuery Of(Question question, bool signed, bool @unchecked, bool mixed = true)
    {
        var name = question.Name.Wire;
        var message = new byte[Query.HeaderLength + name.Length + 4 + 11];
        RandomNumberGenerator.Fill(message.AsSpan(0, 2));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)(0x0100 | (@unchecked ? 0x0010 : 0)));
        message[5] = 1;
        message[11] = 1;
        var at = Query.HeaderLength;
        Span<byte> lot = stackalloc byte[name.Length];
        RandomNumberGenerator.Fill(lot);
        for (var i = 0; i < name.Length; i++)
        {
            // A length is at most 63 and no letter; letters are what may change their case.
            message[at + i] = mixed && char.IsAsciiLetter((char)name[i]) && (lot[i] & 1) != 0 ? (byte)(name[i] ^ 0x20) : name[i];
        }

        at += name.Length;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at), (ushort)question.Type);
        message[at + 3] = 1;
        at += 4;
        var end = at;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at + 1), (ushort)RecordType.OPT);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at + 3), ResponseWriter.OwnSize);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(at + 7), (ushort)(signed ? 0x8000 : 0));
        return new UpstreamQuery(message, end, question);
    }

    /// <summary>True: a message is an answer to this query, whatever it says.</summary>
    public bool IsAnsweredBy(ReadOnlySpan<byte> message) => message.Length >= _questionEnd && message[..2].SequenceEqual(_message.AsSpan(0, 2))
        && (message[2] & 0xF8) == 0x80 && BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == 1
        && message[Query.HeaderLength.._questionEnd].SequenceEqual(_message.AsSpan(Query.HeaderLength, _questionEnd - Query.HeaderLength));

    /// <summary>True: there is more of the answer, over TCP.</summary>
    public static bool IsTruncated(ReadOnlySpan<byte> message) => (message[2] & 0x02) != 0;

    /// <summary>Reads an answer: of its records those that belong to the question. Null: it cannot be read.</summary>
    public Response? Read(ReadOnlySpan<byte> message)
    {
        var at = _questionEnd;
        var code = message[3] & 0xF;
        if (Section(message, ref at, BinaryPrimitives.ReadUInt16BigEndian(message[6..])) is not { } answers
            || Section(message, ref at, BinaryPrimitives.ReadUInt16BigEndian(message[8..])) is not { } authorities)
        {
            return null;
        }

        // The case was ours to draw; others are told of the name as it was asked for.
        answers = answers.ConvertAll(record => record.Name.Equals(_question.Name) ? record with { Name = _question.Name } : record);
        var names = Names(answers);
        return new Response
        {
            Code = (ResponseCode)code,
            IsRecursive = true,
            IsProven = (message[3] & 0x20) != 0,
            Answers = [.. answers.Where(record => names.Contains(record.Name) || (record.Type == RecordType.DNAME && names.Any(name => name.IsUnder(record.Name))))],
            Authorities = [.. authorities.Where(record => record.Type == RecordType.SOA ? names.Any(name => name.IsUnder(record.Name)) : record.Type is Signature or NoName or NoNameHashed)],
        };
    }

    // What is of neither the name nor where its aliases lead was not asked for.
    private HashSet<DnsName> Names(List<Record> answers)
    {
        var names = new HashSet<DnsName> { _question.Name };
        for (var grew = true; grew;)
        {
            grew = false;
            foreach (var record in answers)
            {
                grew |= record.Type == RecordType.CNAME && names.Contains(record.Name) && DnsName.FromWire(record.Data.Octets) is { } target && names.Add(target);
            }
        }

        return names;
    }

    private static List<Record>? Section(ReadOnlySpan<byte> message, ref int at, int count)
    {
        var records = new List<Record>();
        for (; count > 0; count--)
        {
            if (RecordReader.Record(message, ref at) is not { } record || records.Count == MostRecords)
            {
                return null;
            }

            records.Add(record);
        }

        return records;
    }
}
