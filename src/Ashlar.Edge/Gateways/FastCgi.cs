using System.Buffers.Binary;

namespace Ashlar.Edge.Gateways;

/// <summary>The records of FastCGI 1.0 (its specification, sections 3.3 and 8), as far as a web server writes them.</summary>
internal static class FastCgi
{
    /// <summary>Bytes of a record's header.</summary>
    public const int HeaderLength = 8;

    /// <summary>Most content that a record can have.</summary>
    public const int MaxContent = 65535;

    /// <summary>The one request of a connection: servers that take several at once hardly exist.</summary>
    public const ushort RequestId = 1;

    public const byte Version = 1;

    /// <summary>A BEGIN_REQUEST for a responder that keeps the connection.</summary>
    public static ReadOnlySpan<byte> BeginRequest => [Version, (byte)RecordType.BeginRequest, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0];

    /// <summary>The end of the PARAMS stream.</summary>
    public static ReadOnlySpan<byte> EndOfParams => [Version, (byte)RecordType.Params, 0, 1, 0, 0, 0, 0];

    /// <summary>The end of the STDIN stream.</summary>
    public static ReadOnlySpan<byte> EndOfStdin => [Version, (byte)RecordType.Stdin, 0, 1, 0, 0, 0, 0];

    /// <summary>Writes the header of a record with so much content and no padding.</summary>
    public static void WriteHeader(Span<byte> destination, RecordType type, int length)
    {
        destination[0] = Version;
        destination[1] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], RequestId);
        BinaryPrimitives.WriteUInt16BigEndian(destination[4..], (ushort)length);
        destination[6] = destination[7] = 0;
    }
}

/// <summary>Types of records.</summary>
internal enum RecordType : byte
{
    BeginRequest = 1,
    AbortRequest = 2,
    EndRequest = 3,
    Params = 4,
    Stdin = 5,
    Stdout = 6,
    Stderr = 7,
    Data = 8,
    GetValues = 9,
    GetValuesResult = 10,
    Unknown = 11,
}

/// <summary>How a FastCGI server ended a request (section 5.5).</summary>
internal enum ProtocolStatus : byte
{
    Complete = 0,
    CannotMultiplex = 1,
    Overloaded = 2,
    UnknownRole = 3,
}
