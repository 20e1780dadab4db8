using System.Buffers.Binary;

namespace Ashlar.Dns.Serving;

/// <summary>
/// Answers as they went out, for a thread that answers UDP: of the same question only number, flags and the case of its name differ. What is not the plain
/// case is not looked for here. Bounded: a new one takes the place of one of few.
/// </summary>
internal sealed class ReadyAnswers
{
    private const int HeaderLength = 12;
    private const int MostName = 255;
    private const int MostKey = MostName + 3;
    private const int OptLength = 11;
    private const int PlainSize = 512;
    private const int Ways = 4;
    private readonly Entry[] _entries;
    private readonly byte[] _key = new byte[MostKey];
    private int _keyLength;
    private int _nameLength;
    private ulong _hash;
    private int _size;
    private uint _victim;

    /// <summary>Makes an empty table.</summary>
    /// <param name="most">Answers that it holds; a power of two.</param>
    public ReadyAnswers(int most = 16_384) => _entries = new Entry[most];

    /// <summary>Octets that the client of the query read last takes.</summary>
    public int Size => _size;

    /// <summary>What tells the question read last from others, of one that is plain.</summary>
    public ulong Hash => _hash;

    /// <summary>Forgets all.</summary>
    public void Clear() => Array.Clear(_entries);

    /// <summary>Reads a query. True: it is plain, and may be looked up and kept.</summary>
    /// <param name="message">The query.</param>
    /// <param name="isTrusted">True: of a client that is told more than others.</param>
    public bool Read(ReadOnlySpan<byte> message, bool isTrusted)
    {
        // A query with one question, nothing but RD, AD and CD, and at most EDNS behind it.
        if (message.Length < HeaderLength + 5 || (message[2] & 0xFE) != 0 || (message[3] & 0xCF) != 0
            || BinaryPrimitives.ReadUInt32BigEndian(message[4..]) != 0x0001_0000 || message[8] != 0 || message[9] != 0 || message[10] != 0 || message[11] > 1)
        {
            return false;
        }

        var at = HeaderLength;
        var hash = 14695981039346656037UL;
        while (message[at] != 0)
        {
            int label = message[at];
            if (label > 63 || at + label + 6 > message.Length || at + label - HeaderLength >= MostName - 1)
            {
                return false;
            }

            // A length is no letter, so it may be lowered like one.
            foreach (var octet in message.Slice(at, label + 1))
            {
                var low = (uint)(octet - 'A') <= 'Z' - 'A' ? (byte)(octet | 0x20) : octet;
                _key[at++ - HeaderLength] = low;
                hash = (hash ^ low) * 1099511628211UL;
            }
        }

        _nameLength = at - HeaderLength + 1;
        if (at + 5 > message.Length || message[at + 3] != 0 || message[at + 4] != 1)
        {
            return false;
        }

        var length = at - HeaderLength;
        _key[length++] = message[at + 1];
        _key[length++] = message[at + 2];
        at += 5;
        var kind = isTrusted ? 1 : 0;
        _size = PlainSize;
        if (message[11] == 1)
        {
            if (at + OptLength > message.Length || message[at] != 0 || message[at + 1] != 0 || message[at + 2] != 41 || message[at + 6] != 0
                || !AreOptions(message[(at + OptLength)..], BinaryPrimitives.ReadUInt16BigEndian(message[(at + 9)..])))
            {
                return false;
            }

            kind |= 2 | ((message[at + 7] & 0x80) != 0 ? 4 : 0);
            _size = Math.Max(PlainSize, (int)BinaryPrimitives.ReadUInt16BigEndian(message[(at + 3)..]));
        }
        else if (at != message.Length)
        {
            return false;
        }

        _key[length++] = (byte)kind;
        _keyLength = length;
        for (var i = length - 3; i < length; i++)
        {
            hash = (hash ^ _key[i]) * 1099511628211UL;
        }

        _hash = (hash ^ (hash >> 29)) | 1;
        return true;
    }

    /// <summary>Writes the answer to the query read last. 0: there is none here.</summary>
    public int Write(ReadOnlySpan<byte> message, Span<byte> into)
    {
        var first = (int)(_hash >> 8) & (_entries.Length - Ways);
        for (var i = first; i < first + Ways; i++)
        {
            ref var entry = ref _entries[i];
            if (entry.Hash == _hash && entry.Answer.Length <= _size && _key.AsSpan(0, _keyLength).SequenceEqual(entry.Key))
            {
                var answer = entry.Answer;
                answer.CopyTo(into);
                into[0] = message[0];
                into[1] = message[1];
                into[2] |= (byte)(message[2] & 0x01);
                into[3] |= (byte)(message[3] & 0x10);
                message.Slice(HeaderLength, _nameLength).CopyTo(into[HeaderLength..]);
                return answer.Length;
            }
        }

        return 0;
    }

    /// <summary>Keeps the answer to the query read last.</summary>
    public void Keep(ReadOnlySpan<byte> answer)
    {
        if ((answer[2] & 0x02) != 0)
        {
            return; // Cut for this client; another may take more.
        }

        var first = (int)(_hash >> 8) & (_entries.Length - Ways);
        var place = first + (int)(_victim++ % Ways);
        for (var i = first; i < first + Ways; i++)
        {
            if (_entries[i].Hash == 0 || (_entries[i].Hash == _hash && _key.AsSpan(0, _keyLength).SequenceEqual(_entries[i].Key)))
            {
                place = i;
                break;
            }
        }

        var kept = answer.ToArray();
        kept[2] &= 0xFE;
        kept[3] &= 0xEF;
        _entries[place] = new Entry(_hash, _key.AsSpan(0, _keyLength).ToArray(), kept);
    }

    private static bool AreOptions(ReadOnlySpan<byte> options, int length)
    {
        if (options.Length != length)
        {
            return false;
        }

        while (!options.IsEmpty)
        {
            if (options.Length < 4 || BinaryPrimitives.ReadUInt16BigEndian(options[2..]) + 4 is var whole && whole > options.Length)
            {
                return false;
            }

            options = options[whole..];
        }

        return true;
    }

    private readonly record struct Entry(ulong Hash, byte[] Key, byte[] Answer);
}
