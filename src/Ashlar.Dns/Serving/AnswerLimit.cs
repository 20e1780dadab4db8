using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Ashlar.Dns.Serving;

/// <summary>
/// Holds answers over UDP to a rate, so that nobody aims us at others by queries in their name: so many a second to one network of clients (IPv4 /24,
/// IPv6 /56) of the same answer, and <see cref="OfAll"/> times as many of all. What fails, and what is empty, counts as one answer whatever was asked.
/// </summary>
/// <remarks>
/// One table for all threads, without a lock: two that meet at one entry may let an answer more or less pass, and that is all. It does not grow; the network
/// that was heard of longest ago makes room.
/// </remarks>
internal sealed class AnswerLimit
{
    /// <summary>Answers of all kinds, in those of one.</summary>
    public const int OfAll = 20;

    private const ushort InterNetwork = 2;
    private const int Ways = 4;
    private const long Burst = 1_000_000;
    private readonly Entry[] _entries;
    private readonly ulong _secret;

    /// <summary>Makes an empty table.</summary>
    /// <param name="entries">Pairs of network and answer that it knows; a power of two.</param>
    public AnswerLimit(int entries = 1 << 16) =>
        (_entries, _secret) = (new Entry[entries], BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))));

    /// <summary>Counts an answer. False: it is beyond the rate, and is not to go out as it is.</summary>
    /// <param name="client">Address of the client (struct sockaddr_in or sockaddr_in6).</param>
    /// <param name="question">What tells the question from others.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="now">Microseconds of a clock that only runs forward.</param>
    /// <param name="rate">Answers a second; 0: there is no limit.</param>
    public bool Allows(ReadOnlySpan<byte> client, ulong question, ReadOnlySpan<byte> answer, long now, int rate)
    {
        if (rate <= 0 || answer.Length < 12)
        {
            return true;
        }

        var network = Network(client);
        var code = answer[3] & 0xF;
        var kind = code == 0 && (answer[6] | answer[7]) != 0 ? question | 0x100 : (ulong)code + 1;
        var pause = 1_000_000 / rate;
        return Take(Mix(network ^ Mix(kind)), now, pause) && Take(Mix(network), now, Math.Max(1, pause / OfAll));
    }

    // An entry says when its network may have the next answer if it takes them one by one; a second's worth may come at once.
    private bool Take(ulong key, long now, long pause)
    {
        var first = (int)(key >> 40) & (_entries.Length - Ways);
        var oldest = first;
        for (var i = first; i < first + Ways; i++)
        {
            ref var entry = ref _entries[i];
            if (entry.Key == key)
            {
                var due = Math.Max(entry.Due, now);
                if (due - now >= Burst)
                {
                    return false;
                }

                entry.Due = due + pause;
                return true;
            }

            oldest = entry.Due < _entries[oldest].Due ? i : oldest;
        }

        _entries[oldest] = new Entry { Key = key, Due = now + pause };
        return true;
    }

    private static ulong Network(ReadOnlySpan<byte> client)
    {
        ReadOnlySpan<byte> mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];
        return BitConverter.ToUInt16(client) == InterNetwork ? BinaryPrimitives.ReadUInt32BigEndian(client[4..]) >> 8
            : client[8..].StartsWith(mapped) ? BinaryPrimitives.ReadUInt32BigEndian(client[20..]) >> 8
            : (BinaryPrimitives.ReadUInt64BigEndian(client[8..]) >> 8) | (1UL << 63);
    }

    // The secret keeps others from choosing whose entry is the same.
    private ulong Mix(ulong value)
    {
        var high = Math.BigMul(value ^ _secret, 0x9E37_79B9_7F4A_7C15, out var low);
        return (high ^ BitOperations.RotateLeft(low, 23)) | 1;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Key;
        public long Due;
    }
}
