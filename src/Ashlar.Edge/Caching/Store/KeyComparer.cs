using System.Buffers.Binary;

namespace Ashlar.Edge.Caching.Store;

/// <summary>Compares keys byte by byte. Its hash has a seed of its own, so that nobody can choose URLs that fall together.</summary>
internal sealed class KeyComparer(ulong seed) : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    private const ulong First = 0xa0761d6478bd642f;
    private const ulong Second = 0xe7037ed1a0b428db;

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] key) => (int)Hash(key);

    public bool Equals(ReadOnlySpan<byte> key, byte[] other) => key.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> key) => (int)Hash(key);

    public byte[] Create(ReadOnlySpan<byte> key) => key.ToArray();

    /// <summary>64 bits of hash.</summary>
    public ulong Hash(ReadOnlySpan<byte> key)
    {
        var hash = seed ^ (ulong)key.Length;
        while (key.Length >= 16)
        {
            hash = Mix(BinaryPrimitives.ReadUInt64LittleEndian(key) ^ First, BinaryPrimitives.ReadUInt64LittleEndian(key[8..]) ^ hash);
            key = key[16..];
        }

        var (low, high) = (0UL, 0UL);
        for (var i = 0; i < key.Length; i++)
        {
            if (i < 8)
            {
                low |= (ulong)key[i] << (8 * i);
            }
            else
            {
                high |= (ulong)key[i] << (8 * (i - 8));
            }
        }

        return Mix(Second ^ hash, Mix(low ^ First, high ^ hash));
    }

    private static ulong Mix(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high ^ low;
    }
}
