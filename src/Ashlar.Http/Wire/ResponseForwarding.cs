using System.Buffers;
using System.Runtime.InteropServices;

namespace Ashlar.Http.Wire;

/// <summary>What matters of the client when a response is passed to it.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly ref struct ResponseContext
{
    /// <summary>Version of the client's request: 11 or 10.</summary>
    public required int ClientVersion { get; init; }

    /// <summary>Whether the client's connection is to live on: its own wish, and no drain of ours.</summary>
    public required bool KeepAlive { get; init; }

    /// <summary>The answer goes to another edge of the stack, which will say that it has come by here.</summary>
    public bool ToHop { get; init; }

    /// <summary>A line with its CRLF for that edge; empty: nothing is said.</summary>
    public ReadOnlySpan<byte> HopLine { get; init; }

    /// <summary>Strict-Transport-Security with its CRLF; used when the app sent none. Empty: nothing is said.</summary>
    public ReadOnlySpan<byte> HstsLine { get; init; }

    /// <summary>A line with its CRLF that says what the cache did; empty: there is none to say it.</summary>
    public ReadOnlySpan<byte> CacheLine { get; init; }

    /// <summary>Fields that are set or taken out; null: none.</summary>
    public HeaderEdits? Edits { get; init; }

    /// <summary>A Date line with its CRLF, by <see cref="DateLine"/>; used when the app sent none.</summary>
    public required ReadOnlySpan<byte> DateLine { get; init; }
}

/// <summary>How a response's body goes to the client.</summary>
/// <param name="Body">
/// The framing towards the client: a body that ends with the app's connection becomes chunked, and for HTTP/1.0 a chunked
/// one ends with the client's.
/// </param>
/// <param name="KeepAlive">Whether the client's connection lives on after it.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ClientFraming(BodyFraming Body, bool KeepAlive);

public static partial class ForwardWriter
{
    /// <summary>Room that suffices for a response's head.</summary>
    public static int ResponseBound(ResponseHead head, in ResponseContext context) =>
        head.Consumed + context.DateLine.Length + context.HstsLine.Length + context.CacheLine.Length + context.HopLine.Length + (context.Edits?.Lines.Length ?? 0) + 160;

    /// <summary>
    /// Writes the head of an app's response to the client. An interim response (1xx) is written without Date and framing
    /// and nothing of it for an HTTP/1.0 client, who knows none.
    /// </summary>
    /// <param name="destination">At least <see cref="ResponseBound"/> bytes.</param>
    /// <param name="buffer">The buffer that was parsed.</param>
    /// <param name="head">The head parsed from it.</param>
    /// <param name="context">What matters of the client.</param>
    /// <param name="framing">How the body has to be written.</param>
    /// <returns>How many bytes were written.</returns>
    public static int WriteResponse(
        Span<byte> destination, ReadOnlySpan<byte> buffer, ResponseHead head, in ResponseContext context, out ClientFraming framing)
    {
        framing = FrameFor(head, in context);
        if (head.IsInterim && context.ClientVersion == 10)
        {
            return 0;
        }

        var to = new HeadBuilder(destination);
        var runStart = WriteStatusLine(ref to, buffer, head);
        var fields = head.Fields;
        for (var i = 0; i < fields.Length; i++)
        {
            ref readonly var field = ref fields[i];
            if (Passes(in field, head, framing.Body) && context.Edits?.Replaces(field.Name(buffer)) != true)
            {
                continue;
            }

            to.Add(buffer[runStart..field.NameStart]);
            runStart = head.LineEnd(i);
        }

        to.Add(buffer[runStart..(head.Consumed - 2)]);
        WriteHopByHop(ref to, buffer, head, framing, context.ClientVersion);
        if (!head.IsInterim)
        {
            if (!context.ToHop)
            {
                to.Add(head.Version == 11 ? "Via: 1.1 ashlar\r\n"u8 : "Via: 1.0 ashlar\r\n"u8);
            }

            to.Add(context.HopLine);
            to.Add(context.CacheLine);
            if (!head.Has(KnownHeader.Date))
            {
                to.Add(context.DateLine);
            }

            if (context.HstsLine.Length > 0 && !Names(buffer, head, "strict-transport-security"u8) && context.Edits?.Replaces("strict-transport-security"u8) != true)
            {
                to.Add(context.HstsLine);
            }

            if (context.Edits is { } edits)
            {
                to.Add(edits.Lines.Span);
            }
        }

        to.Add("\r\n"u8);
        return to.Written;
    }

    /// <summary>Writes the head of an app's response to the client; see the other form.</summary>
    public static void WriteResponse(
        IBufferWriter<byte> destination, ReadOnlySpan<byte> buffer, ResponseHead head, in ResponseContext context, out ClientFraming framing) =>
        destination.Advance(
            WriteResponse(destination.GetSpan(ResponseBound(head, in context)), buffer, head, in context, out framing));

    private static bool Names(ReadOnlySpan<byte> buffer, ResponseHead head, ReadOnlySpan<byte> lowerName)
    {
        foreach (ref readonly var field in head.Fields)
        {
            if (Bytes.EqualsLower(buffer.Slice(field.NameStart, field.NameLength), lowerName))
            {
                return true;
            }
        }

        return false;
    }

    private static ClientFraming FrameFor(ResponseHead head, in ResponseContext context)
    {
        var body = head.Body switch
        {
            BodyFraming.UntilClose or BodyFraming.Chunked =>
                context.ClientVersion == 11 ? BodyFraming.Chunked : BodyFraming.UntilClose,
            _ => head.Body,
        };
        return new ClientFraming(body, context.KeepAlive && body != BodyFraming.UntilClose && head.Status != 101);
    }

    private static bool Passes(in HeaderField field, ResponseHead head, BodyFraming body) => !field.Dropped && field.Known switch
    {
        KnownHeader.None => true,

        // 1xx and 204 have no length to tell (RFC 9110 section 8.6).
        KnownHeader.ContentLength => head.Status is not (< 200 or 204),
        KnownHeader.Trailer => body == BodyFraming.Chunked,
        _ => !field.Known.IsHopByHop(),
    };

    /// <summary>Writes the status line unless it can be copied with the fields; says where the first run begins.</summary>
    private static int WriteStatusLine(ref HeadBuilder to, ReadOnlySpan<byte> buffer, ResponseHead head)
    {
        if (head.Version == 11 && head.StatusRange.Length > 3)
        {
            return head.StartLine.Start;
        }

        to.Add("HTTP/1.1 "u8);
        to.Add(head.StatusRange.Of(buffer));
        to.Add(head.StatusRange.Length > 3 ? "\r\n"u8 : " \r\n"u8);
        return head.StartLine.End + 2;
    }

    private static void WriteHopByHop(
        ref HeadBuilder to, ReadOnlySpan<byte> buffer, ResponseHead head, ClientFraming framing, int clientVersion)
    {
        if (framing.Body == BodyFraming.Chunked)
        {
            to.Add("Transfer-Encoding: chunked\r\n"u8);
        }

        if (head.IsInterim)
        {
            return;
        }

        // 426 has to say what to upgrade to (RFC 9110 section 15.5.22).
        if (head.Status is 101 or 426 && head.Has(KnownHeader.Upgrade))
        {
            to.Add(framing.KeepAlive || head.Status == 101 ? "Connection: upgrade\r\nUpgrade: "u8 : "Connection: upgrade, close\r\nUpgrade: "u8);
            to.Add(head.Find(KnownHeader.Upgrade).Of(buffer));
            to.Add("\r\n"u8);
        }
        else if (clientVersion == 11 ? !framing.KeepAlive : framing.KeepAlive)
        {
            to.Add(framing.KeepAlive ? "Connection: keep-alive\r\n"u8 : "Connection: close\r\n"u8);
        }
    }
}
