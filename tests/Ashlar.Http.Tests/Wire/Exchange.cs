using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

/// <summary>
/// One request taken through the wire as the edge does it: read, forwarded head and body written, and read again. Buffers
/// are reused, because the fuzz test does this millions of times.
/// </summary>
internal sealed class Exchange
{
    private static readonly HttpLimits _limits = HttpLimits.Default;

    private readonly byte[] _forwarded = new byte[64 * 1024];
    private readonly byte[] _body = new byte[64 * 1024];
    private readonly byte[] _bodyAgain = new byte[64 * 1024];
    private int _forwardedLength;
    private int _bodyLength;

    public RequestHead Head { get; } = new();

    public RequestHead Again { get; } = new();

    /// <summary>What goes to the app: head and body.</summary>
    public ReadOnlySpan<byte> Forwarded => _forwarded.AsSpan(0, _forwardedLength);

    /// <summary>The body without its framing.</summary>
    public ReadOnlySpan<byte> Body => _body.AsSpan(0, _bodyLength);

    /// <summary>Reads and forwards a request; false when it is refused or not complete.</summary>
    public bool Forward(ReadOnlySpan<byte> message)
    {
        Head.Reset();
        if (Head.Parse(message, _limits) != ParseStatus.Done)
        {
            return false;
        }

        var context = new ForwardContext
        {
            Peer = WireText.Peer,
            RequestId = "01ARZ3NDEKTSV4RRFFQ69G5FAV"u8,
            UnixMilliseconds = 1_700_000_000_000,
            DefaultHost = "127.0.0.1:8080"u8,
        };
        _forwardedLength = ForwardWriter.WriteRequest(
            _forwarded.AsSpan(0, ForwardWriter.RequestBound(Head, in context)), message, Head, in context);
        var rest = message[Head.Consumed..];
        if (Head.Body == BodyFraming.Chunked)
        {
            var relay = new ChunkedRelay(_limits);
            var status = relay.Relay(rest, _forwarded.AsSpan(_forwardedLength), out _, out var written);
            _forwardedLength += written;
            return Decode(rest, _body, out _bodyLength) >= 0 && status == ChunkedStatus.Done;
        }

        if (Head.ContentLength > rest.Length)
        {
            return false;
        }

        _bodyLength = (int)Head.ContentLength;
        rest[.._bodyLength].CopyTo(_body);
        rest[.._bodyLength].CopyTo(_forwarded.AsSpan(_forwardedLength));
        _forwardedLength += _bodyLength;
        return true;
    }

    /// <summary>Reads what was forwarded: null when it is one message with the meaning of the first, else what differs.</summary>
    public string? Difference(ReadOnlySpan<byte> message)
    {
        var forwarded = Forwarded;
        Again.Reset();
        if (Again.Parse(forwarded, _limits) != ParseStatus.Done)
        {
            return $"what was forwarded is refused: {Again.Problem}";
        }

        var rest = forwarded[Again.Consumed..];
        if (!Again.MethodRange.Of(forwarded).SequenceEqual(Head.MethodRange.Of(message)))
        {
            return "the method";
        }

        if (!Again.QueryRange.Of(forwarded).SequenceEqual(Head.QueryRange.Of(message)))
        {
            return "the query";
        }

        if (Head.PathRange.Length > 0 && !Again.PathRange.Of(forwarded).SequenceEqual(Head.PathRange.Of(message)))
        {
            return "the path";
        }

        if (Head.HostRange.Length > 0 && !Again.HostRange.Of(forwarded).SequenceEqual(Head.HostRange.Of(message)))
        {
            return "the host";
        }

        if (Again.Body != Head.Body || Again.ContentLength != Head.ContentLength || Again.Upgrade != Head.Upgrade)
        {
            return "the framing";
        }

        var end = Again.Body == BodyFraming.Chunked ? Decode(rest, _bodyAgain, out var length) : length = (int)Again.ContentLength;
        if (end != rest.Length)
        {
            return "its end: more or less than one message was forwarded";
        }

        return Again.Body == BodyFraming.Chunked && !_bodyAgain.AsSpan(0, length).SequenceEqual(Body) ? "the body"
            : EndToEndFields(message) ?? LineEnds(forwarded[..Again.Consumed]);
    }

    /// <summary>Every field that nobody knows and nobody dropped stands in both heads, in the same order, and in full.</summary>
    private string? EndToEndFields(ReadOnlySpan<byte> message)
    {
        var again = 0;
        foreach (ref readonly var field in Head.Fields)
        {
            if (field.Known != KnownHeader.None || field.Dropped)
            {
                continue;
            }

            while (again < Again.Fields.Length && Again.Fields[again].Known != KnownHeader.None)
            {
                again++;
            }

            if (again == Again.Fields.Length
                || !Again.Fields[again].Name(Forwarded).SequenceEqual(field.Name(message))
                || !Again.Fields[again].Value(Forwarded).SequenceEqual(field.Value(message)))
            {
                return $"the field {WireText.Text(field.Name(message))}";
            }

            again++;
        }

        for (; again < Again.Fields.Length; again++)
        {
            if (Again.Fields[again].Known == KnownHeader.None)
            {
                return $"a field of no origin, {WireText.Text(Again.Fields[again].Name(Forwarded))}";
            }
        }

        return null;
    }

    /// <summary>Seen by itself, without our parser: every line ends with CRLF and there are as many as there should be.</summary>
    private string? LineEnds(ReadOnlySpan<byte> head)
    {
        var lines = head.Count("\r\n"u8);
        return head.Count((byte)'\n') == lines && head.Count((byte)'\r') == lines && lines == Again.Fields.Length + 2
            ? null
            : "the lines";
    }

    /// <summary>Decodes a chunked body; how many bytes it takes, or -1.</summary>
    private static int Decode(ReadOnlySpan<byte> input, Span<byte> data, out int length)
    {
        var decoder = new ChunkedDecoder(_limits);
        length = 0;
        var at = 0;
        while (true)
        {
            var rest = input[at..];
            var status = decoder.Read(rest, out var consumed, out var found);
            at += consumed;
            switch (status)
            {
                case ChunkedStatus.Data:
                    found.Of(rest).CopyTo(data[length..]);
                    length += found.Length;
                    break;
                case ChunkedStatus.Trailer:
                    break;
                default:
                    return status == ChunkedStatus.Done ? at : -1;
            }
        }
    }
}
