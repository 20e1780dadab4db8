using System.Buffers.Binary;

namespace Ashlar.Dns.Wire;

/// <summary>A query as it came (RFC 1035, 4.1; RFC 6891).</summary>
public sealed record Query
{
    /// <summary>Octets of a message's header.</summary>
    public const int HeaderLength = 12;

    /// <summary>Octets that a client without EDNS takes over UDP.</summary>
    public const int PlainSize = 512;

    private const int Inet = 1;
    private const int AnyClass = 255;
    private const ushort ResponseFlag = 0x8000;
    private const ushort TruncatedFlag = 0x0200;

    /// <summary>Its number, which the answer repeats.</summary>
    public required ushort Id { get; init; }

    /// <summary>Kind of query: 0 is the usual one.</summary>
    public required int Operation { get; init; }

    /// <summary>True: it wishes for recursion, which the answer repeats.</summary>
    public bool RecursionDesired { get; init; }

    /// <summary>True: it wishes that nothing be checked, which the answer repeats (RFC 4035, 3.2.2).</summary>
    public bool CheckingDisabled { get; init; }

    /// <summary>What is asked; null: it cannot be read, or there is not exactly one.</summary>
    public Question? Question { get; init; }

    /// <summary>Class of the question.</summary>
    public int Class { get; init; } = Inet;

    /// <summary>True: it has EDNS.</summary>
    public bool HasEdns { get; init; }

    /// <summary>Version of EDNS; 0 is the one there is.</summary>
    public int EdnsVersion { get; init; }

    /// <summary>True: it takes the records of DNSSEC (DO), which the answer repeats.</summary>
    public bool WantsSignatures { get; init; }

    /// <summary>Octets that it takes over UDP, 512 or more.</summary>
    public int Size { get; init; } = PlainSize;

    /// <summary>True: it cannot be read to its end, so the answer is <see cref="ResponseCode.FormatError"/>.</summary>
    public bool IsMalformed { get; init; }

    /// <summary>True: its class is one that is answered.</summary>
    public bool IsInet => Class is Inet or AnyClass;

    /// <summary>Reads a message.</summary>
    /// <param name="message">All of it.</param>
    /// <returns>Null: it is a response, or has no header, and is not answered at all: two servers would answer each other for ever.</returns>
    public static Query? Read(ReadOnlySpan<byte> message)
    {
        if (message.Length < HeaderLength)
        {
            return null;
        }

        var flags = BinaryPrimitives.ReadUInt16BigEndian(message[2..]);
        if ((flags & ResponseFlag) != 0)
        {
            return null;
        }

        var query = new Query
        {
            Id = BinaryPrimitives.ReadUInt16BigEndian(message),
            Operation = (flags >> 11) & 0xF,
            RecursionDesired = (flags & 0x0100) != 0,
            CheckingDisabled = (flags & 0x0010) != 0,
        };
        if (query.Operation != 0)
        {
            return query;
        }

        var (questions, answers, authorities, additionals) = (
            BinaryPrimitives.ReadUInt16BigEndian(message[4..]), BinaryPrimitives.ReadUInt16BigEndian(message[6..]),
            BinaryPrimitives.ReadUInt16BigEndian(message[8..]), BinaryPrimitives.ReadUInt16BigEndian(message[10..]));
        var at = HeaderLength;
        if (questions != 1 || (flags & TruncatedFlag) != 0 || RecordReader.Name(message, ref at) is not { } name || at + 4 > message.Length)
        {
            return query with { IsMalformed = true };
        }

        query = query with
        {
            Question = new Question(name, (RecordType)BinaryPrimitives.ReadUInt16BigEndian(message[at..])),
            Class = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]),
        };
        at += 4;
        return answers + authorities > 0 ? query with { IsMalformed = true } : query.WithAdditionals(message, at, additionals);
    }

    private Query WithAdditionals(ReadOnlySpan<byte> message, int at, int count)
    {
        var query = this;
        for (; count > 0; count--)
        {
            if (RecordReader.Name(message, ref at) is not { } owner || at + 10 > message.Length)
            {
                return query with { IsMalformed = true };
            }

            var (type, size, life, length) = (
                (RecordType)BinaryPrimitives.ReadUInt16BigEndian(message[at..]), BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]),
                BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]), BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]));
            at += 10 + length;
            if (at > message.Length || (type == RecordType.OPT && (query.HasEdns || !owner.IsRoot || !AreOptions(message[(at - length)..at]))))
            {
                return query with { IsMalformed = true };
            }

            if (type == RecordType.OPT)
            {
                query = query with
                {
                    HasEdns = true,
                    EdnsVersion = (int)((life >> 16) & 0xFF),
                    WantsSignatures = (life & 0x8000) != 0,
                    Size = Math.Max(PlainSize, (int)size),
                };
            }
        }

        return at == message.Length ? query : query with { IsMalformed = true };
    }

    // Unknown options are ignored, but each must end within the record.
    private static bool AreOptions(ReadOnlySpan<byte> options)
    {
        while (!options.IsEmpty)
        {
            if (options.Length < 4 || BinaryPrimitives.ReadUInt16BigEndian(options[2..]) + 4 is var length && length > options.Length)
            {
                return false;
            }

            options = options[length..];
        }

        return true;
    }
}
