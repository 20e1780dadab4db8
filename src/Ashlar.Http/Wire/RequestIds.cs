using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Ashlar.Http.Wire;

/// <summary>
/// Makes request ids: ULIDs, 26 characters of Crockford's base 32, 48 bits of time and 80 of chance, so that they sort by
/// time in a log and are unique across loops and machines. One per loop; not for use by two threads at once.
/// </summary>
public sealed class RequestIds
{
    /// <summary>Length of an id in bytes.</summary>
    public const int Length = 26;

    private static readonly SearchValues<byte> _sane =
        SearchValues.Create("-._~+/=:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private ulong _a;
    private ulong _b;

    /// <summary>Seeds it from the system.</summary>
    public RequestIds()
        : this(BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)), BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)))
    {
    }

    /// <summary>Seeds it by hand, for tests.</summary>
    internal RequestIds(ulong a, ulong b)
    {
        _a = a | 1;
        _b = b;
    }

    private static ReadOnlySpan<byte> Alphabet => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"u8;

    /// <summary>Writes the next id.</summary>
    /// <param name="unixMilliseconds">The time of the request.</param>
    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    public void Next(long unixMilliseconds, Span<byte> destination)
    {
        var to = destination[..Length];
        Write(to[..10], (ulong)unixMilliseconds & 0xffff_ffff_ffff, 10);
        Write(to.Slice(10, 8), Random(), 8);
        Write(to.Slice(18, 8), Random(), 8);
    }

    /// <summary>Whether an id from a trusted peer is fit for headers and logs: 1 to 64 characters of a plain alphabet.</summary>
    public static bool IsSane(ReadOnlySpan<byte> id) => id.Length is > 0 and <= 64 && !id.ContainsAnyExcept(_sane);

    private static void Write(Span<byte> to, ulong value, int characters)
    {
        for (var i = characters - 1; i >= 0; i--)
        {
            to[i] = Alphabet[(int)(value & 31)];
            value >>= 5;
        }
    }

    /// <summary>xoroshiro128+ (Blackman and Vigna); its weak low bits are left out.</summary>
    private ulong Random()
    {
        var a = _a;
        var b = _b;
        var result = a + b;
        b ^= a;
        _a = ulong.RotateLeft(a, 24) ^ b ^ (b << 16);
        _b = ulong.RotateLeft(b, 37);
        return result >> 24;
    }
}
