using System.Buffers.Binary;

namespace Ashlar.Http.Wire;

/// <summary>
/// The head of a request, read strictly by RFC 9112. One object serves a connection: parse, use, <see cref="Reset"/>.
/// Ranges are offsets into the buffer of the last <see cref="Parse"/>; the buffer may move, but not lose its beginning.
/// </summary>
public sealed class RequestHead : MessageHead
{
    private const int MaxMethodLength = 32;
    private const int MaxEmptyLines = 2;

    private int _emptyLines;
    private ByteRange _authority;
    private int _authorityNameLength;

    /// <summary>The method.</summary>
    public KnownMethod Method { get; private set; }

    /// <summary>Where the method lies.</summary>
    public ByteRange MethodRange { get; private set; }

    /// <summary>The form of the target.</summary>
    public TargetForm TargetForm { get; private set; }

    /// <summary>The whole target as it came.</summary>
    public ByteRange TargetRange { get; private set; }

    /// <summary>
    /// The path as it came: the bytes to route by are the bytes that are forwarded. Of no length for <c>*</c> and for a
    /// URL without a path, which is forwarded as <c>/</c>.
    /// </summary>
    public ByteRange PathRange { get; private set; }

    /// <summary>The query with its question mark; of no length when there is none.</summary>
    public ByteRange QueryRange { get; private set; }

    /// <summary>The host that counts, port included: that of a URL target, else the Host field's; none only in HTTP/1.0.</summary>
    public ByteRange HostRange { get; private set; }

    /// <summary><see cref="HostRange"/> without the port.</summary>
    public ByteRange HostNameRange { get; private set; }

    /// <summary>The client waits for 100 Continue before it sends the body.</summary>
    public bool ExpectContinue { get; private set; }

    /// <summary>
    /// The client offers to switch to the one protocol in <see cref="UpgradeRange"/>, validly; <c>h2c</c> and TLS are
    /// never passed on, and an offer with a body is ignored.
    /// </summary>
    public bool Upgrade { get; private set; }

    /// <summary>The protocol offered; of no length unless <see cref="Upgrade"/>.</summary>
    public ByteRange UpgradeRange { get; private set; }

    /// <summary>Whether the protocol offered is WebSocket (RFC 6455 section 4.1).</summary>
    public bool IsWebSocket { get; private set; }

    /// <summary>Whether the client can take trailers (<c>TE: trailers</c>).</summary>
    public bool AcceptsTrailers { get; private set; }

    /// <summary>Value of Max-Forwards of an OPTIONS request, or -1. At 0 the proxy itself answers (RFC 9110 section 7.6.2).</summary>
    public long MaxForwards { get; private set; } = -1;

    /// <summary>Goes on reading: the buffer begins where the last call's did, and may be longer.</summary>
    public ParseStatus Parse(ReadOnlySpan<byte> buffer, HttpLimits limits)
    {
        if (Problem is not null)
        {
            return ParseStatus.Bad;
        }

        while (MethodRange.Length == 0)
        {
            var status = NextLine(buffer, limits.MaxRequestLine, limits.MaxHeadBytes, out var line);
            if (status != ParseStatus.Done)
            {
                return status;
            }

            if (line.Length == 0)
            {
                if (++_emptyLines > MaxEmptyLines)
                {
                    return Refuse(HttpProblem.TooManyEmptyLines);
                }
            }
            else if (ReadRequestLine(buffer, line) is { } problem)
            {
                return Refuse(problem);
            }
        }

        var read = ReadFields(buffer, limits);
        if (read != ParseStatus.Done)
        {
            return read;
        }

        return Conclude(buffer) is { } fault ? Refuse(fault) : ParseStatus.Done;
    }

    /// <inheritdoc />
    public override void Reset()
    {
        base.Reset();
        _emptyLines = 0;
        _authority = default;
        _authorityNameLength = 0;
        Method = KnownMethod.Other;
        MethodRange = default;
        TargetForm = TargetForm.Origin;
        TargetRange = default;
        PathRange = default;
        QueryRange = default;
        HostRange = default;
        HostNameRange = default;
        ExpectContinue = false;
        Upgrade = false;
        UpgradeRange = default;
        IsWebSocket = false;
        AcceptsTrailers = false;
        MaxForwards = -1;
    }

    private HttpProblem? ReadRequestLine(ReadOnlySpan<byte> buffer, ByteRange line)
    {
        var text = line.Of(buffer);
        var methodLength = text.IndexOf((byte)' ');
        if (methodLength <= 0)
        {
            return HttpProblem.RequestLine;
        }

        var target = text[(methodLength + 1)..];
        var targetLength = target.IndexOfAnyExcept(Bytes.Target);
        if (targetLength <= 0 || target[targetLength] != ' ')
        {
            return targetLength > 0 ? HttpProblem.TargetCharacter
                : targetLength == 0 && target[0] is not (byte)' ' ? HttpProblem.TargetCharacter
                : HttpProblem.RequestLine;
        }

        Version = ReadVersion(target[(targetLength + 1)..]);
        if (Version is not (10 or 11))
        {
            return Version == 0 ? HttpProblem.RequestLine : HttpProblem.Version;
        }

        var method = text[..methodLength];
        Method = RecogniseMethod(method);
        if (Method == KnownMethod.Other && CheckUncommonMethod(method) is { } problem)
        {
            return problem;
        }

        StartLine = line;
        MethodRange = new ByteRange(line.Start, methodLength);
        TargetRange = new ByteRange(line.Start + methodLength + 1, targetLength);
        return ReadTarget(target[..targetLength], TargetRange.Start);
    }

    /// <summary>10 or 11; 99 for another well-formed version; 0 for anything else.</summary>
    private static int ReadVersion(ReadOnlySpan<byte> text)
    {
        const ulong Http11 = 0x312e312f50545448; // "HTTP/1.1", little endian
        const ulong Http10 = 0x302e312f50545448;
        if (text.Length == 8)
        {
            var value = BinaryPrimitives.ReadUInt64LittleEndian(text);
            if (value is Http11 or Http10)
            {
                return value == Http11 ? 11 : 10;
            }
        }

        return text.StartsWith("HTTP/"u8) && text.Length == 8 && text[6] == '.'
            && char.IsAsciiDigit((char)text[5]) && char.IsAsciiDigit((char)text[7]) ? 99 : 0;
    }

    private static KnownMethod RecogniseMethod(ReadOnlySpan<byte> method) => method.Length switch
    {
        3 => method.SequenceEqual("GET"u8) ? KnownMethod.Get
            : method.SequenceEqual("PUT"u8) ? KnownMethod.Put : KnownMethod.Other,
        4 => method.SequenceEqual("POST"u8) ? KnownMethod.Post
            : method.SequenceEqual("HEAD"u8) ? KnownMethod.Head : KnownMethod.Other,
        5 => method.SequenceEqual("PATCH"u8) ? KnownMethod.Patch : KnownMethod.Other,
        6 => method.SequenceEqual("DELETE"u8) ? KnownMethod.Delete : KnownMethod.Other,
        7 => method.SequenceEqual("OPTIONS"u8) ? KnownMethod.Options : KnownMethod.Other,
        _ => KnownMethod.Other,
    };

    /// <summary>CONNECT would make the edge an open proxy; TRACE shows a page what only the proxy adds.</summary>
    private static HttpProblem? CheckUncommonMethod(ReadOnlySpan<byte> method) =>
        !Bytes.IsToken(method) ? HttpProblem.Method
        : method.Length > MaxMethodLength || method.SequenceEqual("CONNECT"u8) || method.SequenceEqual("TRACE"u8)
            ? HttpProblem.MethodNotImplemented
        : null;

    private HttpProblem? ReadTarget(ReadOnlySpan<byte> target, int at)
    {
        if (target[0] == '/')
        {
            TargetForm = TargetForm.Origin;
            return ReadPathAndQuery(target, at);
        }

        if (target[0] == '*')
        {
            TargetForm = TargetForm.Asterisk;
            return target.Length == 1 && Method == KnownMethod.Options ? null : HttpProblem.TargetFormNotAllowed;
        }

        var scheme = target.Length > 8 && Bytes.EqualsLower(target[..5], "https"u8) ? 5 : 4;
        if (target.Length <= scheme + 3
            || (scheme == 4 && !Bytes.EqualsLower(target[..4], "http"u8))
            || !target[scheme..].StartsWith("://"u8))
        {
            return HttpProblem.TargetFormNotAllowed;
        }

        TargetForm = TargetForm.Absolute;
        var start = scheme + 3;
        var length = target[start..].IndexOfAny((byte)'/', (byte)'?');
        length = length < 0 ? target.Length - start : length;
        if (!HostRules.TryRead(target.Slice(start, length), out _authorityNameLength))
        {
            return HttpProblem.Host;
        }

        _authority = new ByteRange(at + start, length);
        return ReadPathAndQuery(target[(start + length)..], at + start + length);
    }

    private HttpProblem? ReadPathAndQuery(ReadOnlySpan<byte> text, int at)
    {
        var question = text.IndexOf((byte)'?');
        var length = question < 0 ? text.Length : question;
        PathRange = new ByteRange(at, length);
        QueryRange = new ByteRange(at + length, text.Length - length);
        return TargetRules.Check(text[..length]);
    }

    /// <summary>The rules that need the whole head.</summary>
    private HttpProblem? Conclude(ReadOnlySpan<byte> buffer)
    {
        if (HasUnderscores)
        {
            FieldNameClash.Drop(buffer, MutableFields);
        }

        if (!ReadConnection(buffer))
        {
            return HttpProblem.ConnectionOptions;
        }

        return ReadHost(buffer)
            ?? ReadFraming(buffer)
            ?? ReadExpect(buffer)
            ?? ReadRare(buffer);
    }

    private HttpProblem? ReadHost(ReadOnlySpan<byte> buffer)
    {
        if (!Has(KnownHeader.Host))
        {
            HostRange = _authority;
            HostNameRange = _authority with { Length = _authorityNameLength };
            return Version == 11 ? HttpProblem.NoHost : null;
        }

        var host = Find(KnownHeader.Host);
        if (HasTwo(KnownHeader.Host) || !HostRules.TryRead(host.Of(buffer), out var nameLength))
        {
            return HasTwo(KnownHeader.Host) ? HttpProblem.TwoHosts : HttpProblem.Host;
        }

        var absolute = TargetForm == TargetForm.Absolute;
        HostRange = absolute ? _authority : host;
        HostNameRange = HostRange with { Length = absolute ? _authorityNameLength : nameLength };
        return null;
    }

    private HttpProblem? ReadFraming(ReadOnlySpan<byte> buffer)
    {
        var problem = Framing.Read(
            buffer, this, HasTwo(KnownHeader.ContentLength), HasTwo(KnownHeader.TransferEncoding), out var body, out var length);
        Body = body == BodyFraming.Length && length == 0 ? BodyFraming.None : body;
        ContentLength = length;
        return problem;
    }

    private HttpProblem? ReadExpect(ReadOnlySpan<byte> buffer)
    {
        if (!Has(KnownHeader.Expect))
        {
            return null;
        }

        if (HasTwo(KnownHeader.Expect)
            || !System.Text.Ascii.EqualsIgnoreCase(Find(KnownHeader.Expect).Of(buffer), "100-continue"u8))
        {
            return HttpProblem.Expectation;
        }

        ExpectContinue = Version == 11 && Body != BodyFraming.None;
        return null;
    }

    private HttpProblem? ReadRare(ReadOnlySpan<byte> buffer)
    {
        if (Options.HasFlag(ConnectionOptions.Upgrade) && Has(KnownHeader.Upgrade))
        {
            ReadUpgrade(buffer);
        }

        if (Has(KnownHeader.Te))
        {
            AcceptsTrailers = Version == 11 && NamesTrailers(Find(KnownHeader.Te).Of(buffer));
        }

        if (Method == KnownMethod.Options && Has(KnownHeader.MaxForwards))
        {
            if (HasTwo(KnownHeader.MaxForwards)
                || !Bytes.TryReadDecimal(Find(KnownHeader.MaxForwards).Of(buffer), out var hops))
            {
                return HttpProblem.MaxForwardsValue;
            }

            MaxForwards = hops;
        }

        return null;
    }

    private void ReadUpgrade(ReadOnlySpan<byte> buffer)
    {
        var range = Find(KnownHeader.Upgrade);
        var protocol = range.Of(buffer);
        var slash = protocol.IndexOf((byte)'/');
        var name = slash < 0 ? protocol : protocol[..slash];
        if (Version != 11
            || Body != BodyFraming.None
            || HasTwo(KnownHeader.Upgrade)
            || !Bytes.IsToken(name)
            || (slash >= 0 && !Bytes.IsToken(protocol[(slash + 1)..]))
            || Bytes.EqualsLower(name, "h2c"u8)
            || Bytes.EqualsLower(name, "h2"u8)
            || Bytes.EqualsLower(name, "http"u8)
            || Bytes.EqualsLower(name, "tls"u8))
        {
            return;
        }

        Upgrade = true;
        UpgradeRange = range;
        IsWebSocket = Method == KnownMethod.Get && Bytes.EqualsLower(protocol, "websocket"u8);
    }

    private static bool NamesTrailers(ReadOnlySpan<byte> value)
    {
        while (Bytes.NextElement(ref value, out var coding))
        {
            if (Bytes.IsToken(coding) && Bytes.EqualsLower(coding, "trailers"u8))
            {
                return true;
            }
        }

        return false;
    }
}
