using System.Runtime.InteropServices;

namespace Ashlar.Http.Wire;

/// <summary>How far a head has been read.</summary>
public enum ParseStatus
{
    /// <summary>The head is not complete: call again with the same bytes and more behind them.</summary>
    NeedMore,

    /// <summary>The head is complete and valid.</summary>
    Done,

    /// <summary>The head is refused; <see cref="MessageHead.Problem"/> says why. Answer, then close.</summary>
    Bad,
}

/// <summary>Methods the proxy tells apart. Methods are case-sensitive (RFC 9110 section 9.1).</summary>
public enum KnownMethod : byte
{
    /// <summary>Any other token; forwarded as it came.</summary>
    Other,

    /// <summary>GET.</summary>
    Get,

    /// <summary>HEAD.</summary>
    Head,

    /// <summary>POST.</summary>
    Post,

    /// <summary>PUT.</summary>
    Put,

    /// <summary>DELETE.</summary>
    Delete,

    /// <summary>OPTIONS.</summary>
    Options,

    /// <summary>PATCH.</summary>
    Patch,
}

/// <summary>What may be done with a method.</summary>
public static class KnownMethods
{
    /// <summary>Whether a request may be sent twice with the effect of once (RFC 9110 section 9.2.2).</summary>
    public static bool IsIdempotent(this KnownMethod method) => method
        is KnownMethod.Get or KnownMethod.Head or KnownMethod.Put or KnownMethod.Delete or KnownMethod.Options;
}

/// <summary>The form of a request target (RFC 9112 section 3.2); authority-form belongs to CONNECT, which is refused.</summary>
public enum TargetForm : byte
{
    /// <summary><c>/path?query</c>.</summary>
    Origin,

    /// <summary><c>http://host/path?query</c>: its authority replaces the Host field.</summary>
    Absolute,

    /// <summary><c>*</c>, only with OPTIONS.</summary>
    Asterisk,
}

/// <summary>How the end of a body is found (RFC 9112 section 6.3).</summary>
public enum BodyFraming : byte
{
    /// <summary>There is no body.</summary>
    None,

    /// <summary>The body has <c>ContentLength</c> bytes.</summary>
    Length,

    /// <summary>The body is chunked.</summary>
    Chunked,

    /// <summary>The body ends where the connection ends; only in responses.</summary>
    UntilClose,
}

/// <summary>Where something lies in the buffer that was parsed.</summary>
/// <param name="Start">Offset of its first byte.</param>
/// <param name="Length">Its length in bytes; 0 when it is absent.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ByteRange(int Start, int Length)
{
    /// <summary>Offset behind its last byte.</summary>
    public int End => Start + Length;

    /// <summary>Its bytes.</summary>
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> buffer) => buffer.Slice(Start, Length);
}

/// <summary>One field line of a head, as offsets into the buffer that was parsed.</summary>
[StructLayout(LayoutKind.Auto)]
public struct HeaderField
{
    /// <summary>Offset of the name, which is also where the line begins.</summary>
    public int NameStart { readonly get; internal set; }

    /// <summary>Offset of the value without the white space around it.</summary>
    public int ValueStart { readonly get; internal set; }

    /// <summary>Length of the value without the white space around it.</summary>
    public int ValueLength { readonly get; internal set; }

    /// <summary>Length of the name.</summary>
    public ushort NameLength { readonly get; internal set; }

    /// <summary>Which of the names that matter to a proxy it is.</summary>
    public KnownHeader Known { readonly get; internal set; }

    /// <summary>Whether it ends here: named by Connection, or its <c>_</c> name clashes with a <c>-</c> name.</summary>
    public bool Dropped { readonly get; internal set; }

    /// <summary>The name.</summary>
    public readonly ReadOnlySpan<byte> Name(ReadOnlySpan<byte> buffer) => buffer.Slice(NameStart, NameLength);

    /// <summary>The value without the white space around it.</summary>
    public readonly ReadOnlySpan<byte> Value(ReadOnlySpan<byte> buffer) => buffer.Slice(ValueStart, ValueLength);
}
