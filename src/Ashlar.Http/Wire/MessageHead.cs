namespace Ashlar.Http.Wire;

/// <summary>
/// What requests and responses share: reading line by line over one contiguous buffer, keeping the place between calls,
/// so that bytes arriving one at a time are each looked at once.
/// </summary>
public abstract class MessageHead
{
    private const int MaxNameLength = 1024;

    private HeaderField[] _fields = new HeaderField[16];
    private int _count;
    private int _scanned;
    private ulong _seen;
    private ulong _seenTwice;

    private protected MessageHead()
    {
    }

    /// <summary>Length of the head in bytes, with whatever empty lines stood before it; valid once done.</summary>
    public int Consumed { get; private protected set; }

    /// <summary>Why the head is refused; null unless it is.</summary>
    public HttpProblem? Problem { get; private protected set; }

    /// <summary>The field lines in the order they came.</summary>
    public ReadOnlySpan<HeaderField> Fields => _fields.AsSpan(0, _count);

    /// <summary>Version of the message: 11 or 10.</summary>
    public int Version { get; private protected set; }

    /// <summary>How the body ends.</summary>
    public BodyFraming Body { get; private protected set; }

    /// <summary>Length of the body in bytes when <see cref="Body"/> is <see cref="BodyFraming.Length"/>, else 0.</summary>
    public long ContentLength { get; private protected set; }

    /// <summary>Whether the sender lets the connection live on after this message.</summary>
    public bool KeepAlive { get; private protected set; }

    /// <summary>Where the start line lies, without its CRLF.</summary>
    internal ByteRange StartLine { get; private protected set; }

    /// <summary>Where the line to be read next begins.</summary>
    private protected int Position { get; private set; }

    /// <summary>What the Connection field asks for.</summary>
    private protected ConnectionOptions Options { get; private set; }

    /// <summary>Whether the name of any field holds a <c>_</c>.</summary>
    private protected bool HasUnderscores { get; private set; }

    private protected Span<HeaderField> MutableFields => _fields.AsSpan(0, _count);

    /// <summary>Whether a field of this name stands in the head.</summary>
    public bool Has(KnownHeader header) => (_seen & (1UL << (int)header)) != 0;

    /// <summary>The value of the first field of this name; of no length when there is none or it is empty.</summary>
    public ByteRange Find(KnownHeader header)
    {
        if (Has(header))
        {
            foreach (ref readonly var field in Fields)
            {
                if (field.Known == header)
                {
                    return new ByteRange(field.ValueStart, field.ValueLength);
                }
            }
        }

        return default;
    }

    /// <summary>Makes the object ready for the next message.</summary>
    public virtual void Reset()
    {
        _count = 0;
        _scanned = 0;
        _seen = 0;
        _seenTwice = 0;
        Position = 0;
        Consumed = 0;
        Problem = null;
        StartLine = default;
        Version = 0;
        Body = BodyFraming.None;
        ContentLength = 0;
        KeepAlive = false;
        Options = ConnectionOptions.None;
        HasUnderscores = false;
    }

    private protected bool HasTwo(KnownHeader header) => (_seenTwice & (1UL << (int)header)) != 0;

    private protected ParseStatus Refuse(HttpProblem problem)
    {
        Problem = problem;
        return ParseStatus.Bad;
    }

    /// <summary>
    /// Finds the end of the line at <see cref="Position"/>. Sizes are judged by the least that the line can still come
    /// to, before its bytes are: so the verdict is the same however the bytes were split.
    /// </summary>
    private protected ParseStatus NextLine(ReadOnlySpan<byte> buffer, int maxLine, int maxHead, out ByteRange line)
    {
        line = default;
        var at = Bytes.IndexOfControl(buffer, _scanned);
        if (at - Position > maxLine)
        {
            return Refuse(HttpProblem.TargetTooLong);
        }

        if (at > maxHead - 2)
        {
            return Refuse(HttpProblem.HeadTooLarge);
        }

        _scanned = at;
        if (at == buffer.Length)
        {
            return ParseStatus.NeedMore;
        }

        if (buffer[at] != '\r')
        {
            return Refuse(buffer[at] == '\n' ? HttpProblem.BareLineFeed : HttpProblem.ControlCharacter);
        }

        if (at + 1 == buffer.Length)
        {
            return ParseStatus.NeedMore;
        }

        if (buffer[at + 1] != '\n')
        {
            return Refuse(HttpProblem.BareCarriageReturn);
        }

        line = new ByteRange(Position, at - Position);
        Position = _scanned = at + 2;
        return ParseStatus.Done;
    }

    /// <summary>Reads field lines up to and including the empty line.</summary>
    private protected ParseStatus ReadFields(ReadOnlySpan<byte> buffer, HttpLimits limits)
    {
        while (true)
        {
            var status = NextLine(buffer, int.MaxValue, limits.MaxHeadBytes, out var line);
            if (status != ParseStatus.Done)
            {
                return status;
            }

            if (line.Length == 0)
            {
                Consumed = Position;
                return ParseStatus.Done;
            }

            if (_count == limits.MaxHeaders)
            {
                return Refuse(HttpProblem.TooManyFields);
            }

            if (AddField(buffer, line) is { } problem)
            {
                return Refuse(problem);
            }
        }
    }

    /// <summary>Where the line of the field with this index ends, behind its CRLF.</summary>
    internal int LineEnd(int index) => index + 1 < _count ? _fields[index + 1].NameStart : Consumed - 2;

    /// <summary>
    /// Reads Connection and marks what ends here: fields it names, save those that the proxy knows as meant for
    /// everybody (a client must not delete Host or Authorization by naming it), and <c>_</c> names that an app's
    /// gateway would take for a <c>-</c> name (<c>X_Real_IP</c> and <c>X-Real-IP</c> are one in CGI and WSGI).
    /// </summary>
    private protected bool ReadConnection(ReadOnlySpan<byte> buffer)
    {
        if (Has(KnownHeader.Connection))
        {
            var budget = ConnectionField.MaxOptions;
            for (var i = 0; i < _count; i++)
            {
                if (_fields[i].Known == KnownHeader.Connection)
                {
                    var value = _fields[i].Value(buffer);
                    if (!ConnectionField.TryRead(value, ref budget, out var options))
                    {
                        return false;
                    }

                    Options |= options;
                    if (options.HasFlag(ConnectionOptions.NamesFields))
                    {
                        ConnectionField.DropNamed(buffer, value, MutableFields);
                    }
                }
            }
        }

        KeepAlive = Version == 11
            ? !Options.HasFlag(ConnectionOptions.Close)
            : Options.HasFlag(ConnectionOptions.KeepAlive) && !Options.HasFlag(ConnectionOptions.Close);
        return true;
    }

    private HttpProblem? AddField(ReadOnlySpan<byte> buffer, ByteRange line)
    {
        var text = line.Of(buffer);
        var colon = Bytes.TokenLength(text, out var underscore);
        if (colon == 0 || colon == text.Length || text[colon] != ':')
        {
            return colon == text.Length ? HttpProblem.FieldWithoutColon
                : Bytes.IsSpace(text[0]) ? HttpProblem.FoldedLine
                : HttpProblem.FieldName;
        }

        if (colon > MaxNameLength)
        {
            return HttpProblem.FieldNameTooLong;
        }

        var start = colon + 1;
        var end = text.Length;
        while (start < end && Bytes.IsSpace(text[start]))
        {
            start++;
        }

        while (end > start && Bytes.IsSpace(text[end - 1]))
        {
            end--;
        }

        if (_count == _fields.Length)
        {
            Grow();
        }

        HasUnderscores |= underscore;
        var known = KnownHeaders.Recognise(text[..colon]);
        ref var field = ref _fields[_count++];
        field.NameStart = line.Start;
        field.NameLength = (ushort)colon;
        field.ValueStart = line.Start + start;
        field.ValueLength = end - start;
        field.Known = known;
        field.Dropped = false;
        var bit = 1UL << (int)known;
        _seenTwice |= _seen & bit;
        _seen |= bit;
        return null;
    }

    private void Grow() => Array.Resize(ref _fields, _fields.Length * 2);
}
