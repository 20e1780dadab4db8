using System.Buffers;
using System.Runtime.InteropServices;

namespace Ashlar.Http.Wire;

/// <summary>What a request is told on its way to the app.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly ref struct ForwardContext()
{
    /// <summary>The client connection.</summary>
    public required ForwardedPeer Peer { get; init; }

    /// <summary>Id of the request, by <see cref="RequestIds"/>; at most 64 bytes. A trusted peer's own is kept instead.</summary>
    public required ReadOnlySpan<byte> RequestId { get; init; }

    /// <summary>When the request came, in milliseconds since 1970, UTC.</summary>
    public required long UnixMilliseconds { get; init; }

    /// <summary>Host for an HTTP/1.0 request that names none, such as <c>127.0.0.1:8080</c>; at most 320 bytes.</summary>
    public ReadOnlySpan<byte> DefaultHost { get; init; }

    /// <summary>
    /// The request comes from another edge of the stack, which has said all that is to be said: fields about client and request
    /// pass as they are, and none is added.
    /// </summary>
    public bool FromHop { get; init; }

    /// <summary>A line with its CRLF for another edge of the stack, by which it knows what is asked of it; empty: the request goes to an app.</summary>
    public ReadOnlySpan<byte> HopLine { get; init; }

    /// <summary>Further lines, each with its CRLF; at most 4 KiB.</summary>
    public ReadOnlySpan<byte> Lines { get; init; }

    /// <summary>The client's own conditions are left out: the cache asks for itself, and answers them from what it gets.</summary>
    public bool OwnConditions { get; init; }

    /// <summary>Length of a chunked body that is known meanwhile and goes out by it, in bytes; -1: it goes out chunked.</summary>
    public long BodyLength { get; init; } = -1;

    /// <summary>The target to ask for instead of the one that was received, in origin-form; empty: that one.</summary>
    public ReadOnlySpan<byte> Target { get; init; }

    /// <summary>What the client says about its own client is kept and added to, not replaced.</summary>
    public bool TrustPeer => Peer.Trusted;
}

/// <summary>
/// Writes the head that goes to the other side. Runs of untouched lines are copied whole; lines that end at this hop are
/// left out; what a proxy has to say stands behind them (RFC 9110 section 7.6, RFC 9112 section 3.2.2).
/// </summary>
public static partial class ForwardWriter
{
    /// <summary>Room that suffices for <see cref="WriteRequest(Span{byte}, ReadOnlySpan{byte}, RequestHead, in ForwardContext)"/>.</summary>
    public static int RequestBound(RequestHead head, in ForwardContext context) =>
        head.Consumed + 3 * Math.Max(head.HostRange.Length, context.DefaultHost.Length)
        + context.Peer.All.Length + context.RequestId.Length + context.HopLine.Length + context.Lines.Length + context.Target.Length + 320;

    /// <summary>Writes the head of a request to an app, always as HTTP/1.1 with a Host.</summary>
    /// <param name="destination">At least <see cref="RequestBound"/> bytes.</param>
    /// <param name="buffer">The buffer that was parsed.</param>
    /// <param name="head">The head parsed from it.</param>
    /// <param name="context">What is said about client and request.</param>
    /// <returns>How many bytes were written. The body follows in the framing of <see cref="MessageHead.Body"/>.</returns>
    public static int WriteRequest(
        Span<byte> destination, ReadOnlySpan<byte> buffer, RequestHead head, in ForwardContext context)
    {
        var to = new HeadBuilder(destination);
        var runStart = WriteRequestLine(ref to, buffer, head, in context);
        var fields = head.Fields;
        for (var i = 0; i < fields.Length; i++)
        {
            ref readonly var field = ref fields[i];
            if (Passes(in field, head, in context))
            {
                continue;
            }

            to.Add(buffer[runStart..field.NameStart]);
            runStart = head.LineEnd(i);
        }

        to.Add(buffer[runStart..(head.Consumed - 2)]);
        WriteHopByHop(ref to, buffer, head, in context);
        if (context.FromHop)
        {
            to.Add("\r\n"u8);
            return to.Written;
        }

        if (!context.TrustPeer && head.Version == 11)
        {
            WriteFromStranger(ref to, buffer, head, in context);
        }
        else
        {
            WriteFieldByField(ref to, buffer, head, in context);
        }

        to.Add("X-Request-Start: t="u8);
        to.Add(context.UnixMilliseconds);
        to.Add("\r\n"u8);
        to.Add(context.Lines);
        to.Add(context.HopLine);
        to.Add("\r\n"u8);
        return to.Written;
    }

    /// <summary>Writes the head of a request to an app; see the other form.</summary>
    public static void WriteRequest(
        IBufferWriter<byte> destination, ReadOnlySpan<byte> buffer, RequestHead head, in ForwardContext context) =>
        destination.Advance(WriteRequest(destination.GetSpan(RequestBound(head, in context)), buffer, head, in context));

    private static bool Passes(in HeaderField field, RequestHead head, in ForwardContext context)
    {
        if (field.Dropped)
        {
            return false;
        }

        return field.Known switch
        {
            KnownHeader.None => true,
            KnownHeader.Host => head.TargetForm != TargetForm.Absolute,
            KnownHeader.Trailer => head.Body == BodyFraming.Chunked && context.BodyLength < 0,
            KnownHeader.Expect => head.ExpectContinue,
            KnownHeader.MaxForwards => head.MaxForwards < 0 || context.FromHop,
            KnownHeader.XRequestStart => context.FromHop,
            KnownHeader.IfNoneMatch or KnownHeader.IfModifiedSince => !context.OwnConditions,
            KnownHeader.XRequestId => context.FromHop,
            KnownHeader.XForwardedOther or KnownHeader.XForwardedFor or KnownHeader.XForwardedProto
                or KnownHeader.XForwardedHost or KnownHeader.XRealIp or KnownHeader.Forwarded => context.TrustPeer || context.FromHop,
            _ => field.Known.IsUntouched(),
        };
    }

    /// <summary>Writes the request line unless it can be copied with the fields; says where the first run begins.</summary>
    private static int WriteRequestLine(
        ref HeadBuilder to, ReadOnlySpan<byte> buffer, RequestHead head, in ForwardContext context)
    {
        var afterLine = head.StartLine.End + 2;
        if (head.Version == 11 && head.TargetForm != TargetForm.Absolute && context.Target.IsEmpty)
        {
            return head.StartLine.Start;
        }

        to.Add(head.MethodRange.Of(buffer));
        to.Add((byte)' ');
        if (!context.Target.IsEmpty)
        {
            to.Add(context.Target);
        }
        else if (head.TargetForm != TargetForm.Absolute)
        {
            to.Add(head.TargetRange.Of(buffer));
        }
        else if (head.PathRange.Length == 0)
        {
            // A URL without a path means "/", but for OPTIONS the server as a whole (RFC 9112 section 3.2.4).
            to.Add(head.Method == KnownMethod.Options && head.QueryRange.Length == 0 ? (byte)'*' : (byte)'/');
            to.Add(head.QueryRange.Of(buffer));
        }
        else
        {
            to.Add(head.PathRange.Of(buffer));
            to.Add(head.QueryRange.Of(buffer));
        }

        to.Add(" HTTP/1.1\r\n"u8);
        if (head.TargetForm == TargetForm.Absolute || head.HostRange.Length == 0)
        {
            to.Add("Host: "u8);
            to.Add(head.HostRange.Length == 0 ? context.DefaultHost : head.HostRange.Of(buffer));
            to.Add("\r\n"u8);
        }

        return afterLine;
    }

    /// <summary>The fields of this hop, said anew for the next.</summary>
    private static void WriteHopByHop(ref HeadBuilder to, ReadOnlySpan<byte> buffer, RequestHead head, in ForwardContext context)
    {
        if (head.Body == BodyFraming.Chunked && context.BodyLength >= 0)
        {
            to.Add("Content-Length: "u8);
            to.Add(context.BodyLength);
            to.Add("\r\n"u8);
        }
        else if (head.Body == BodyFraming.Chunked)
        {
            to.Add("Transfer-Encoding: chunked\r\n"u8);
        }

        if (head.Upgrade)
        {
            to.Add(head.AcceptsTrailers ? "Connection: upgrade, TE\r\nUpgrade: "u8 : "Connection: upgrade\r\nUpgrade: "u8);
            to.Add(head.UpgradeRange.Of(buffer));
            to.Add("\r\n"u8);
        }
        else if (head.AcceptsTrailers)
        {
            to.Add("Connection: TE\r\n"u8);
        }

        if (head.AcceptsTrailers)
        {
            to.Add("TE: trailers\r\n"u8);
        }

        if (head.MaxForwards >= 0 && !context.FromHop)
        {
            to.Add("Max-Forwards: "u8);
            to.Add(Math.Max(head.MaxForwards - 1, 0));
            to.Add("\r\n"u8);
        }
    }

    private static void WriteFromStranger(
        ref HeadBuilder to, ReadOnlySpan<byte> buffer, RequestHead head, in ForwardContext context)
    {
        var host = head.HostRange.Of(buffer);
        to.Add(context.Peer.All);
        to.Add(";host=\""u8);
        to.Add(host);
        to.Add("\"\r\nX-Forwarded-Host: "u8);
        to.Add(host);
        to.Add("\r\nX-Request-Id: "u8);
        to.Add(context.RequestId);
        to.Add("\r\n"u8);
    }

    /// <summary>
    /// For HTTP/1.0 clients, who may name no host, and for trusted peers: their lists are kept and ours added as a
    /// further line, which means the same as a further element (RFC 9110 section 5.3).
    /// </summary>
    private static void WriteFieldByField(
        ref HeadBuilder to, ReadOnlySpan<byte> buffer, RequestHead head, in ForwardContext context)
    {
        var trust = context.TrustPeer;
        var host = head.HostRange.Of(buffer);
        to.Add(context.Peer.For);
        if (!trust || !head.Has(KnownHeader.XRealIp))
        {
            to.Add("X-Real-IP: "u8);
            to.Add(context.Peer.Address.Span);
            to.Add("\r\n"u8);
        }

        if (!trust || !head.Has(KnownHeader.XForwardedProto))
        {
            to.Add(context.Peer.Proto);
        }

        if (!trust || !head.Has(KnownHeader.XForwardedOther))
        {
            to.Add(context.Peer.Port);
        }

        to.Add(head.Version == 11 ? "Via: 1.1 ashlar\r\n"u8 : "Via: 1.0 ashlar\r\n"u8);
        to.Add(context.Peer.Forwarded);
        if (!host.IsEmpty)
        {
            to.Add(";host=\""u8);
            to.Add(host);
            to.Add((byte)'"');
            if (!trust || !head.Has(KnownHeader.XForwardedHost))
            {
                to.Add("\r\nX-Forwarded-Host: "u8);
                to.Add(host);
            }
        }

        var own = head.Find(KnownHeader.XRequestId).Of(buffer);
        to.Add("\r\nX-Request-Id: "u8);
        to.Add(trust && RequestIds.IsSane(own) ? own : context.RequestId);
        to.Add("\r\n"u8);
    }
}
