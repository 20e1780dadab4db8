using System.Buffers;

namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>How far a <see cref="RequestDecoder"/> came.</summary>
internal enum RequestStatus
{
    /// <summary>The variables are not complete.</summary>
    Variables,

    /// <summary>The variables are there; the body goes on.</summary>
    Body,

    /// <summary>The body is complete too.</summary>
    Complete,

    /// <summary>These are no records of a request, or ones that are not taken.</summary>
    Bad,
}

/// <summary>
/// Takes a request out of the records that a web server sends (FastCGI 1.0): one request at a time, its variables as a whole, its body in place.
/// Strict: one version, one request, a responder, records in their order.
/// </summary>
internal sealed class RequestDecoder
{
    /// <summary>Most bytes of variables that are taken.</summary>
    public const int MostVariables = 256 * 1024;

    private const int BeginLength = 8;
    private const int Responder = 1;

    private readonly byte[] _begin = new byte[BeginLength];
    private readonly ArrayBufferWriter<byte> _variables = new();
    private RecordFrame _frame;
    private int _beginBytes;

    /// <summary>How far it came.</summary>
    public RequestStatus Status { get; private set; }

    /// <summary>True: some of a request has come.</summary>
    public bool HasBegun => _frame.IsOpen || _beginBytes > 0;

    /// <summary>True: the connection is wanted for further requests.</summary>
    public bool KeepsConnection => (_begin[2] & 1) != 0;

    /// <summary>The variables, as pairs for <see cref="ParamsReader"/>.</summary>
    public ReadOnlySpan<byte> Variables => _variables.WrittenSpan;

    /// <summary>Goes on with what was received; the body's bytes stand at its beginning afterwards.</summary>
    /// <returns>Bytes of the body.</returns>
    public int Decode(Span<byte> received)
    {
        var written = 0;
        var at = 0;
        while (at < received.Length && Status != RequestStatus.Bad)
        {
            if (Status == RequestStatus.Complete)
            {
                // Whoever sends more before the answer speaks of another request.
                Status = RequestStatus.Bad;
                break;
            }

            var part = _frame.Take(received[at..], out var used);
            if (part == RecordPart.Header)
            {
                Judge();
            }
            else if (part == RecordPart.Content)
            {
                Take(received.Slice(at, used), received, ref written);
            }

            at += used;
            EndRecord();
        }

        return written;
    }

    /// <summary>Begins with another request.</summary>
    public void Reset()
    {
        _variables.ResetWrittenCount();
        _frame = default;
        _beginBytes = 0;
        Status = RequestStatus.Variables;
    }

    private void Judge()
    {
        var isInTurn = _frame.Type switch
        {
            RecordType.BeginRequest => _beginBytes == 0 && _frame.Length == BeginLength,
            RecordType.Params => _beginBytes == BeginLength && Status == RequestStatus.Variables && _variables.WrittenCount + _frame.Length <= MostVariables,
            RecordType.Stdin => Status == RequestStatus.Body,
            _ => false,
        };
        if (_frame.Version != FastCgi.Version || _frame.RequestId != FastCgi.RequestId || !isInTurn)
        {
            Status = RequestStatus.Bad;
        }
        else if (_frame.Length == 0)
        {
            // An empty record is the end of its stream.
            Status = _frame.Type == RecordType.Params ? RequestStatus.Body : RequestStatus.Complete;
        }
    }

    private void Take(ReadOnlySpan<byte> content, Span<byte> body, ref int written)
    {
        switch (_frame.Type)
        {
            case RecordType.BeginRequest:
                content.CopyTo(_begin.AsSpan(_beginBytes));
                _beginBytes += content.Length;
                break;
            case RecordType.Params:
                _variables.Write(content);
                break;
            default:
                content.CopyTo(body[written..]);
                written += content.Length;
                break;
        }
    }

    private void EndRecord()
    {
        if (_frame.IsOver && _frame.Type == RecordType.BeginRequest && (_begin[0] != 0 || _begin[1] != Responder))
        {
            Status = RequestStatus.Bad;
        }
    }
}
