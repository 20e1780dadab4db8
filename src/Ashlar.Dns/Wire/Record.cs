namespace Ashlar.Dns.Wire;

/// <summary>A record of class IN.</summary>
/// <param name="Name">Its owner.</param>
/// <param name="Type">Its type.</param>
/// <param name="TimeToLive">Seconds that it may be kept, 0 to 2³¹ − 1 (RFC 2181, 8).</param>
/// <param name="Data">What it says, as on the wire with names uncompressed.</param>
public sealed record Record(DnsName Name, RecordType Type, uint TimeToLive, RecordData Data)
{
    /// <summary>As a line of a master file.</summary>
    public override string ToString() => $"{Name} {TimeToLive} IN {Type.Print()} {PrintData()}";

    /// <summary>What it says, as in a master file.</summary>
    public string PrintData() => RecordText.Print(Type, Data);
}

/// <summary>What a record says: octets, equal by value.</summary>
/// <param name="octets">As on the wire with names uncompressed.</param>
public sealed class RecordData(byte[] octets) : IEquatable<RecordData>
{
    /// <summary>The octets.</summary>
    public ReadOnlySpan<byte> Octets => octets;

    /// <inheritdoc />
    public bool Equals(RecordData? other) => other is not null && Octets.SequenceEqual(other.Octets);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as RecordData);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(octets);
        return hash.ToHashCode();
    }
}

/// <summary>A question.</summary>
/// <param name="Name">What about.</param>
/// <param name="Type">What of it.</param>
public readonly record struct Question(DnsName Name, RecordType Type);

/// <summary>How a question was answered (RFC 1035, 4.1.1; RFC 6891).</summary>
public enum ResponseCode : ushort
{
    /// <summary>It was.</summary>
    NoError = 0,

    /// <summary>It could not be read.</summary>
    FormatError = 1,

    /// <summary>The server has failed.</summary>
    ServerFailure = 2,

    /// <summary>There is no such name.</summary>
    NameError = 3,

    /// <summary>That kind of question is not known.</summary>
    NotImplemented = 4,

    /// <summary>It is not answered here.</summary>
    Refused = 5,

    /// <summary>A name that exists and should not (RFC 6672: a DNAME made a name too long).</summary>
    NameTooLong = 6,

    /// <summary>An EDNS version that is not known.</summary>
    BadVersion = 16,
}
