namespace Ashlar.Http.Wire;

/// <summary>
/// The head of an app's response, read as strictly as a request's. Whatever is wrong with it, the client gets 502 and the
/// connection to the app is closed.
/// </summary>
public sealed class ResponseHead : MessageHead
{
    /// <summary>The status code, 100 to 999.</summary>
    public int Status { get; private set; }

    /// <summary>An interim response (1xx other than 101): another head follows it.</summary>
    public bool IsInterim => Status is >= 100 and < 200 and not 101;

    /// <summary>Where the status code and the reason phrase lie.</summary>
    public ByteRange StatusRange { get; private set; }

    /// <summary>Goes on reading: the buffer begins where the last call's did, and may be longer.</summary>
    /// <param name="buffer">The bytes received so far.</param>
    /// <param name="limits">What a head may cost.</param>
    /// <param name="requestMethod">Method of the request that is answered: HEAD has no body.</param>
    /// <param name="upgradeAsked">Whether the request offered to switch protocols; without it 101 is refused.</param>
    public ParseStatus Parse(ReadOnlySpan<byte> buffer, HttpLimits limits, KnownMethod requestMethod, bool upgradeAsked = false)
    {
        if (Problem is not null)
        {
            return ParseStatus.Bad;
        }

        if (Status == 0)
        {
            var line = NextLine(buffer, int.MaxValue, limits.MaxHeadBytes, out var range);
            if (line != ParseStatus.Done)
            {
                return AsUpstream(line);
            }

            if (!ReadStatusLine(buffer, range))
            {
                return AsUpstream(Refuse(HttpProblem.StatusLine));
            }
        }

        var read = ReadFields(buffer, limits);
        if (read != ParseStatus.Done)
        {
            return AsUpstream(read);
        }

        return Conclude(buffer, requestMethod, upgradeAsked) is { } problem ? AsUpstream(Refuse(problem)) : ParseStatus.Done;
    }

    /// <inheritdoc />
    public override void Reset()
    {
        base.Reset();
        Status = 0;
        StatusRange = default;
    }

    private ParseStatus AsUpstream(ParseStatus status)
    {
        Problem = Problem?.AsUpstream;
        return status;
    }

    private bool ReadStatusLine(ReadOnlySpan<byte> buffer, ByteRange line)
    {
        var text = line.Of(buffer);
        if (text.Length < 12 || !text.StartsWith("HTTP/1."u8) || text[7] is not ((byte)'0' or (byte)'1') || text[8] != ' ')
        {
            return false;
        }

        // Many servers leave out the space when there is no reason.
        if (!Bytes.TryReadDecimal(text[9..12], out var status) || status < 100 || (text.Length > 12 && text[12] != ' '))
        {
            return false;
        }

        Version = text[7] == '1' ? 11 : 10;
        Status = (int)status;
        StartLine = line;
        StatusRange = new ByteRange(line.Start + 9, line.Length - 9);
        return true;
    }

    private HttpProblem? Conclude(ReadOnlySpan<byte> buffer, KnownMethod requestMethod, bool upgradeAsked)
    {
        if (!ReadConnection(buffer))
        {
            return HttpProblem.ConnectionOptions;
        }

        var problem = Framing.Read(
            buffer, this, HasTwo(KnownHeader.ContentLength), HasTwo(KnownHeader.TransferEncoding), out var body, out var length);
        if (problem is not null)
        {
            return problem;
        }

        if (Status == 101)
        {
            KeepAlive = false;
            return upgradeAsked && Has(KnownHeader.Upgrade) ? null : HttpProblem.UpgradeNotAsked;
        }

        if (requestMethod == KnownMethod.Head || Status is < 200 or 204 or 304)
        {
            return null;
        }

        Body = body == BodyFraming.None ? BodyFraming.UntilClose
            : body == BodyFraming.Length && length == 0 ? BodyFraming.None
            : body;
        ContentLength = length;
        KeepAlive &= Body != BodyFraming.UntilClose;
        return null;
    }
}
