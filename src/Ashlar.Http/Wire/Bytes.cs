using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ashlar.Http.Wire;

/// <summary>The character classes of RFC 9110 section 5.6 and RFC 9112, and searches over them.</summary>
internal static class Bytes
{
    /// <summary>tchar: what a method, a field name and a connection option are made of.</summary>
    public static readonly SearchValues<byte> Token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>
    /// What a request target may hold: every visible ASCII character but <c>#</c>. RFC 3986 is narrower, but browsers
    /// send <c>|</c>, <c>^</c>, <c>{</c> and others bare (WHATWG URL, query percent-encode set).
    /// </summary>
    public static readonly SearchValues<byte> Target = SearchValues.Create(
        "!\"$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    private static readonly Vector128<byte> _tokenByLowNibble = Vector128.Create(
        (byte)0xe8, 0xfc, 0xf8, 0xfc, 0xfc, 0xfc, 0xfc, 0xfc, 0xf8, 0xf8, 0xf4, 0x54, 0xd0, 0x54, 0xf4, 0x70);

    private static readonly Vector128<byte> _bitOfHighNibble = Vector128.Create((byte)1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>Whether all of a non-empty span are tchars.</summary>
    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(Token);

    /// <summary>
    /// Compares a token with a name of lower-case letters, digits and hyphens. Setting bit 5 is exact here: no other
    /// tchar becomes one of these by it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool EqualsLower(ReadOnlySpan<byte> token, ReadOnlySpan<byte> lower)
    {
        if (token.Length != lower.Length)
        {
            return false;
        }

        ref var a = ref MemoryMarshal.GetReference(token);
        ref var b = ref MemoryMarshal.GetReference(lower);
        if (lower.Length >= 8)
        {
            const ulong Case = 0x2020202020202020;
            nuint i = 0;
            var last = (nuint)lower.Length - 8;
            for (; i < last; i += 8)
            {
                if ((Read<ulong>(ref a, i) | Case) != Read<ulong>(ref b, i))
                {
                    return false;
                }
            }

            return (Read<ulong>(ref a, last) | Case) == Read<ulong>(ref b, last);
        }

        if (lower.Length >= 4)
        {
            const uint Case = 0x20202020;
            var last = (nuint)lower.Length - 4;
            return (Read<uint>(ref a, 0) | Case) == Read<uint>(ref b, 0)
                && (Read<uint>(ref a, last) | Case) == Read<uint>(ref b, last);
        }

        for (var i = 0; i < lower.Length; i++)
        {
            if ((token[i] | 0x20) != lower[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// The first byte at or after <paramref name="start"/> that no field value may hold (a control other than TAB, or
    /// DEL): a CR in a line that is well formed. The length of the buffer when there is none.
    /// </summary>
    public static int IndexOfControl(ReadOnlySpan<byte> buffer, int start)
    {
        ref var first = ref MemoryMarshal.GetReference(buffer);
        var i = start;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= buffer.Length - 32; i += 32)
            {
                var bytes = Vector256.LoadUnsafe(ref first, (nuint)i);
                var mask = (Vector256.LessThan(bytes, Vector256.Create((byte)0x20))
                    | Vector256.Equals(bytes, Vector256.Create((byte)0x7f))).ExtractMostSignificantBits();
                for (; mask != 0; mask &= mask - 1)
                {
                    var at = i + BitOperations.TrailingZeroCount(mask);
                    if (Unsafe.Add(ref first, at) != '\t')
                    {
                        return at;
                    }
                }
            }
        }

        for (; i <= buffer.Length - 16; i += 16)
        {
            var bytes = Vector128.LoadUnsafe(ref first, (nuint)i);
            var mask = (Vector128.LessThan(bytes, Vector128.Create((byte)0x20))
                | Vector128.Equals(bytes, Vector128.Create((byte)0x7f))).ExtractMostSignificantBits();
            for (; mask != 0; mask &= mask - 1)
            {
                var at = i + BitOperations.TrailingZeroCount(mask);
                if (Unsafe.Add(ref first, at) != '\t')
                {
                    return at;
                }
            }
        }

        for (; i < buffer.Length; i++)
        {
            var b = Unsafe.Add(ref first, i);
            if ((b < 0x20 && b != '\t') || b == 0x7f)
            {
                return i;
            }
        }

        return buffer.Length;
    }

    /// <summary>
    /// The length of the token that a text begins with, and whether a <c>_</c> is in it. Names are short: one vector usually
    /// decides, without a call. Bit h of the entry for a low nibble says whether it is a tchar with the high nibble h.
    /// </summary>
    public static int TokenLength(ReadOnlySpan<byte> text, out bool underscore)
    {
        if (Vector128.IsHardwareAccelerated && text.Length >= 16)
        {
            var bytes = Vector128.Create(text);
            var low = Vector128.ShuffleNative(_tokenByLowNibble, bytes & Vector128.Create((byte)0x0f));
            var high = Vector128.ShuffleNative(_bitOfHighNibble, bytes >>> 4);
            var other = Vector128.Equals(low & high, Vector128<byte>.Zero).ExtractMostSignificantBits();
            if (other != 0)
            {
                var underscores = Vector128.Equals(bytes, Vector128.Create((byte)'_')).ExtractMostSignificantBits();
                underscore = (underscores & (other ^ (other - 1))) != 0;
                return BitOperations.TrailingZeroCount(other);
            }
        }

        var end = text.IndexOfAnyExcept(Token);
        end = end < 0 ? text.Length : end;
        underscore = text[..end].Contains((byte)'_');
        return end;
    }

    /// <summary>Whether a byte is optional white space: SP or HTAB.</summary>
    public static bool IsSpace(byte b) => b is (byte)' ' or (byte)'\t';

    /// <summary>Without the white space around it.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty && IsSpace(text[0]))
        {
            text = text[1..];
        }

        while (!text.IsEmpty && IsSpace(text[^1]))
        {
            text = text[..^1];
        }

        return text;
    }

    /// <summary>Takes the next element of a comma-separated list; false at its end. An element may be empty.</summary>
    public static bool NextElement(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> element)
    {
        if (rest.IsEmpty)
        {
            element = default;
            return false;
        }

        var comma = rest.IndexOf((byte)',');
        element = Trim(comma < 0 ? rest : rest[..comma]);
        rest = comma < 0 ? default : rest[(comma + 1)..];
        return true;
    }

    /// <summary>The value of a hexadecimal digit, or -1.</summary>
    public static int Hex(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => -1,
    };

    /// <summary>Reads <c>1*DIGIT</c>, at most 19 of them, up to <see cref="long.MaxValue"/>; nothing else around them.</summary>
    public static bool TryReadDecimal(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.Length is 0 or > 19)
        {
            return false;
        }

        ulong sum = 0;
        foreach (var b in text)
        {
            var digit = (uint)(b - '0');
            if (digit > 9)
            {
                return false;
            }

            sum = sum * 10 + digit;
        }

        value = (long)sum;
        return sum <= long.MaxValue;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Read<T>(ref byte first, nuint offset) where T : unmanaged =>
        Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref first, offset));
}
