using System.Buffers.Binary;

namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>Reads name-value pairs (FastCGI 1.0, section 3.4) one after the other.</summary>
internal static class ParamsReader
{
    /// <summary>Takes the next pair off. False: there is none, or what is left is cut off.</summary>
    public static bool TryRead(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        var all = rest;
        if (!TryReadLength(ref all, out var nameLength) || !TryReadLength(ref all, out var valueLength) || (long)nameLength + valueLength > all.Length)
        {
            return false;
        }

        name = all[..nameLength];
        value = all.Slice(nameLength, valueLength);
        rest = all[(nameLength + valueLength)..];
        return true;
    }

    private static bool TryReadLength(ref ReadOnlySpan<byte> rest, out int length)
    {
        length = rest.IsEmpty ? 0 : rest[0];
        if (rest.IsEmpty || (length >= 128 && rest.Length < sizeof(uint)))
        {
            return false;
        }

        var size = length < 128 ? 1 : sizeof(uint);
        length = length < 128 ? length : (int)(BinaryPrimitives.ReadUInt32BigEndian(rest) & 0x7fff_ffff);
        rest = rest[size..];
        return true;
    }
}
