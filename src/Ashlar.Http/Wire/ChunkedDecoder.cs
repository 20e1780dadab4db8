using System.Runtime.InteropServices;

namespace Ashlar.Http.Wire;

/// <summary>What <see cref="ChunkedDecoder.Read"/> found.</summary>
public enum ChunkedStatus
{
    /// <summary>Nothing more in these bytes. Present what was not consumed again, with more behind it.</summary>
    NeedMore,

    /// <summary>A piece of the body lies in the bytes.</summary>
    Data,

    /// <summary>A trailer line that may be passed on, without its CRLF, lies in the bytes.</summary>
    Trailer,

    /// <summary>The body is complete; what follows in the bytes belongs to the next message.</summary>
    Done,

    /// <summary>The body is malformed; <see cref="ChunkedDecoder.Problem"/> says how. Nothing of it can be trusted.</summary>
    Bad,
}

/// <summary>
/// Decodes a chunked body (RFC 9112 section 7.1) fed span by span. Strict: one spelling of each thing, CRLF only, sizes
/// bounded. Extensions are checked and left out; so are trailers that mean something to framing, routing or trust.
/// </summary>
/// <param name="limits">What extensions and trailers may cost.</param>
[StructLayout(LayoutKind.Auto)]
public struct ChunkedDecoder(HttpLimits limits)
{
    private enum State : byte
    {
        SizeStart,
        Size,
        ExtensionName,
        ExtensionNameMore,
        ExtensionValue,
        ExtensionToken,
        ExtensionQuoted,
        ExtensionEscape,
        ExtensionAfterQuoted,
        SizeLineFeed,
        Data,
        DataCarriageReturn,
        DataLineFeed,
        Trailers,
        Done,
        Bad,
    }

    private readonly HttpLimits _limits = limits;
    private State _state;
    private int _digits;
    private int _extension;
    private int _extensions;
    private int _trailerBytes;
    private int _trailers;
    private int _scanned;
    private long _size;

    /// <summary>Why the body is refused; null unless it is.</summary>
    public HttpProblem? Problem { get; private set; }

    /// <summary>Whether the body is complete.</summary>
    public readonly bool IsDone => _state == State.Done;

    /// <summary>Bytes still to come of the chunk being read: as many as can be relayed without looking at them.</summary>
    public readonly long ChunkRemaining => _state == State.Data ? _size : 0;

    /// <summary>
    /// Reads on to the next thing of interest. Call it again with what lies behind <paramref name="consumed"/> until it
    /// says <see cref="ChunkedStatus.NeedMore"/>, <see cref="ChunkedStatus.Done"/> or <see cref="ChunkedStatus.Bad"/>.
    /// </summary>
    /// <param name="input">
    /// The bytes not consumed so far. Everything is consumed as it comes, except an incomplete trailer line, which has to
    /// be presented whole.
    /// </param>
    /// <param name="consumed">How many of the bytes are done with.</param>
    /// <param name="found">Where the data or the trailer line lies in <paramref name="input"/>.</param>
    public ChunkedStatus Read(ReadOnlySpan<byte> input, out int consumed, out ByteRange found)
    {
        found = default;
        var i = 0;
        while (true)
        {
            switch (_state)
            {
                case State.Data:
                    if (i == input.Length)
                    {
                        consumed = i;
                        return ChunkedStatus.NeedMore;
                    }

                    var length = (int)Math.Min(_size, input.Length - i);
                    found = new ByteRange(i, length);
                    _size -= length;
                    _state = _size == 0 ? State.DataCarriageReturn : State.Data;
                    consumed = i + length;
                    return ChunkedStatus.Data;

                case State.Trailers:
                    var status = ReadTrailers(input, ref i, ref found);
                    consumed = i;
                    return status;

                case State.Done:
                    consumed = i;
                    return ChunkedStatus.Done;

                case State.Bad:
                    consumed = i;
                    return ChunkedStatus.Bad;

                default:
                    if (i == input.Length)
                    {
                        consumed = i;
                        return ChunkedStatus.NeedMore;
                    }

                    if (Step(input[i++]) is { } problem)
                    {
                        Refuse(problem);
                    }

                    break;
            }
        }
    }

    private ChunkedStatus Refuse(HttpProblem problem)
    {
        Problem = problem;
        _state = State.Bad;
        return ChunkedStatus.Bad;
    }

    /// <summary>One byte of the framing around the data.</summary>
    private HttpProblem? Step(byte b)
    {
        switch (_state)
        {
            case State.SizeStart:
                _size = 0;
                _digits = 0;
                _extension = 0;
                _state = State.Size;
                return AddDigit(b) ? null : HttpProblem.ChunkSize;

            case State.Size:
                if (b == '\r')
                {
                    _state = State.SizeLineFeed;
                    return null;
                }

                if (b == ';')
                {
                    _state = State.ExtensionName;
                    return CountExtension();
                }

                return AddDigit(b) ? null : b == '\n' ? HttpProblem.ChunkLine : HttpProblem.ChunkSize;

            case State.SizeLineFeed:
                _state = _size == 0 ? State.Trailers : State.Data;
                return b == '\n' ? null : HttpProblem.ChunkLine;

            case State.DataCarriageReturn:
                _state = State.DataLineFeed;
                return b == '\r' ? null : HttpProblem.ChunkEnd;

            case State.DataLineFeed:
                _state = State.SizeStart;
                return b == '\n' ? null : HttpProblem.ChunkEnd;

            default:
                return StepExtension(b) ? CountExtension() : HttpProblem.ChunkExtension;
        }
    }

    private bool AddDigit(byte b)
    {
        var digit = Bytes.Hex(b);
        if (digit < 0 || ++_digits > 16 || _size > long.MaxValue >> 4)
        {
            return false;
        }

        _size = _size << 4 | (uint)digit;
        return true;
    }

    /// <summary><c>;name[=token|"quoted"]</c>, any number of times, without white space.</summary>
    private bool StepExtension(byte b)
    {
        switch (_state)
        {
            case State.ExtensionName:
                _state = State.ExtensionNameMore;
                return Bytes.Token.Contains(b);

            case State.ExtensionNameMore:
                if (b == '=')
                {
                    _state = State.ExtensionValue;
                    return true;
                }

                return EndsExtension(b) || Bytes.Token.Contains(b);

            case State.ExtensionValue:
                _state = b == '"' ? State.ExtensionQuoted : State.ExtensionToken;
                return b == '"' || Bytes.Token.Contains(b);

            case State.ExtensionToken:
                return EndsExtension(b) || Bytes.Token.Contains(b);

            case State.ExtensionQuoted:
                _state = b == '"' ? State.ExtensionAfterQuoted : b == '\\' ? State.ExtensionEscape : State.ExtensionQuoted;
                return IsText(b);

            case State.ExtensionEscape:
                _state = State.ExtensionQuoted;
                return IsText(b);

            default:
                return EndsExtension(b);
        }
    }

    private bool EndsExtension(byte b)
    {
        if (b is not ((byte)'\r' or (byte)';'))
        {
            return false;
        }

        _state = b == ';' ? State.ExtensionName : State.SizeLineFeed;
        return true;
    }

    private HttpProblem? CountExtension() =>
        ++_extension > _limits.MaxChunkExtension || ++_extensions > _limits.MaxChunkExtensionsTotal
            ? HttpProblem.ChunkExtension
            : null;

    private static bool IsText(byte b) => b is (byte)'\t' or >= 0x20 and not 0x7f;

    private ChunkedStatus ReadTrailers(ReadOnlySpan<byte> input, ref int i, ref ByteRange found)
    {
        while (true)
        {
            var rest = input[i..];
            var at = Bytes.IndexOfControl(rest, _scanned);
            if (_trailerBytes + at > _limits.MaxTrailerBytes - 2)
            {
                return Refuse(HttpProblem.TrailersTooLarge);
            }

            _scanned = at;
            if (at == rest.Length || (rest[at] == '\r' && at + 1 == rest.Length))
            {
                return ChunkedStatus.NeedMore;
            }

            if (rest[at] != '\r' || rest[at + 1] != '\n')
            {
                return Refuse(rest[at] == '\r' ? HttpProblem.BareCarriageReturn
                    : rest[at] == '\n' ? HttpProblem.BareLineFeed
                    : HttpProblem.ControlCharacter);
            }

            var line = rest[..at];
            var start = i;
            i += at + 2;
            _scanned = 0;
            _trailerBytes += at + 2;
            if (line.IsEmpty)
            {
                _state = State.Done;
                return ChunkedStatus.Done;
            }

            if (++_trailers > _limits.MaxTrailers)
            {
                return Refuse(HttpProblem.TrailersTooLarge);
            }

            var colon = line.IndexOfAnyExcept(Bytes.Token);
            if (colon <= 0 || line[colon] != ':')
            {
                return Refuse(colon < 0 ? HttpProblem.FieldWithoutColon
                    : Bytes.IsSpace(line[0]) ? HttpProblem.FoldedLine
                    : HttpProblem.FieldName);
            }

            if (TrailerRules.MayPass(line[..colon]))
            {
                found = new ByteRange(start, line.Length);
                return ChunkedStatus.Trailer;
            }
        }
    }
}
