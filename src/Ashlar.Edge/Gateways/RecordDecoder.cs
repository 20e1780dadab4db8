using System.Runtime.InteropServices;

namespace Ashlar.Edge.Gateways;

/// <summary>How far a <see cref="RecordDecoder"/> came.</summary>
internal enum RecordStatus : byte
{
    /// <summary>The request's answer goes on.</summary>
    More,

    /// <summary>END_REQUEST: <see cref="RecordDecoder.Ended"/> says how.</summary>
    Ended,

    /// <summary>These are no records of an answer to our request.</summary>
    Bad,
}

/// <summary>
/// Takes the answer out of a FastCGI server's records, in place: what is behind the headers of STDOUT records is moved together, so
/// that it can be read like the bytes of any other answer. Strict: one version, one request, known types.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct RecordDecoder
{
    private const int EndRequestLength = 8;

    private RecordFrame _frame;
    private ulong _body;
    private int _bodyBytes;

    /// <summary>How far it came.</summary>
    public RecordStatus Status { get; private set; }

    /// <summary>How the server ended the request.</summary>
    public ProtocolStatus Ended { get; private set; }

    /// <summary>What the application says of its end; its own affair, but where it is a host of ours.</summary>
    public uint AppStatus { get; private set; }

    /// <summary>True: nothing has come behind the end, so that the connection is at the beginning of another request.</summary>
    public bool IsClean { get; private set; }

    /// <summary>Bytes of the answer so far.</summary>
    public long Answered { get; private set; }

    /// <summary>Goes on with what was received; the answer's bytes stand at its beginning afterwards.</summary>
    /// <param name="received">Bytes as they came.</param>
    /// <param name="errors">Takes what STDERR records say.</param>
    /// <returns>Bytes of the answer.</returns>
    public int Decode(Span<byte> received, ErrorLines errors)
    {
        var written = 0;
        var at = 0;
        while (at < received.Length && Status == RecordStatus.More)
        {
            var part = _frame.Take(received[at..], out var used);
            if (part == RecordPart.Header)
            {
                Judge();
            }
            else if (part == RecordPart.Content)
            {
                Take(received.Slice(at, used), received, ref written, errors);
            }

            at += used;
            EndRecord();
        }

        IsClean = Status == RecordStatus.Ended && at == received.Length;
        Answered += written;
        return written;
    }

    private void Judge()
    {
        (_body, _bodyBytes) = (0, 0);
        var isKnown = _frame.Type is RecordType.Stdout or RecordType.Stderr || (_frame.Type == RecordType.EndRequest && _frame.Length == EndRequestLength);
        Status = _frame.Version == FastCgi.Version && _frame.RequestId == FastCgi.RequestId && isKnown ? RecordStatus.More : RecordStatus.Bad;
    }

    private void Take(ReadOnlySpan<byte> content, Span<byte> answer, ref int written, ErrorLines errors)
    {
        switch (_frame.Type)
        {
            case RecordType.Stdout:
                content.CopyTo(answer[written..]);
                written += content.Length;
                break;
            case RecordType.Stderr:
                errors.Add(content);
                break;
            default:
                foreach (var b in content)
                {
                    _body = _body << 8 | b;
                    _bodyBytes++;
                }

                break;
        }
    }

    private void EndRecord()
    {
        if (_frame.IsOver && _frame.Type == RecordType.EndRequest && _bodyBytes == EndRequestLength)
        {
            // appStatus in four bytes, protocolStatus in one, three reserved.
            Ended = (ProtocolStatus)(byte)(_body >> 24);
            AppStatus = (uint)(_body >> 32);
            Status = RecordStatus.Ended;
        }
    }
}
