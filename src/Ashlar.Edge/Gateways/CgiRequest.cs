using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Gateways;

/// <summary>What a script is told beside the request itself.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly ref struct CgiContext
{
    /// <summary>The script that answers.</summary>
    public required Script Script { get; init; }

    /// <summary>Address of the client.</summary>
    public required ReadOnlySpan<byte> Client { get; init; }

    /// <summary>Whether the client speaks TLS, to us or to a proxy that we trust.</summary>
    public required bool Secure { get; init; }

    /// <summary>The port the client connected to.</summary>
    public required int Port { get; init; }

    /// <summary>Host of an HTTP/1.0 request that names none.</summary>
    public required ReadOnlySpan<byte> DefaultHost { get; init; }

    /// <summary>Id of the request.</summary>
    public required ReadOnlySpan<byte> RequestId { get; init; }

    /// <summary>When the request came, milliseconds since 1970.</summary>
    public required long UnixMilliseconds { get; init; }

    /// <summary>Length of the body in bytes; -1: there is none.</summary>
    public required long BodyLength { get; init; }

    /// <summary>Further fields, a line with CRLF each.</summary>
    public ReadOnlySpan<byte> Lines { get; init; }

    /// <summary>True: the client's own conditions are left out, because the cache asks for itself.</summary>
    public bool OwnConditions { get; init; }

    /// <summary>True: what proxies before us say of the client passes.</summary>
    public required bool TrustsFields { get; init; }
}

/// <summary>
/// The request as CGI tells it (RFC 3875 section 4.1), with what PHP and others have come to expect beside: <c>REQUEST_URI</c> exactly
/// as received, <c>DOCUMENT_ROOT</c>, <c>SCRIPT_FILENAME</c>, <c>HTTPS</c>.
/// </summary>
internal static class CgiRequest
{
    private static readonly SearchValues<byte> _nameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"u8);

    /// <summary>Writes all variables. False: they do not fit.</summary>
    public static bool Write(ref ParamsWriter to, scoped ReadOnlySpan<byte> buffer, RequestHead head, scoped CgiContext context)
    {
        var script = context.Script;
        var query = head.QueryRange.Of(buffer);
        to.Add("GATEWAY_INTERFACE"u8, "CGI/1.1"u8);
        to.Add("SERVER_SOFTWARE"u8, "ashlar"u8);
        to.Add("SERVER_PROTOCOL"u8, head.Version == 10 ? "HTTP/1.0"u8 : "HTTP/1.1"u8);
        to.Add("REQUEST_METHOD"u8, head.MethodRange.Of(buffer));
        to.Begin();
        to.Append("REQUEST_URI"u8);
        to.BeginValue();
        to.Append(head.PathRange.Length == 0 ? "/"u8 : head.PathRange.Of(buffer));
        to.Append(query);
        to.End();
        to.Add("QUERY_STRING"u8, query.IsEmpty ? query : query[1..]);
        to.Add("SCRIPT_NAME"u8, script.Name);
        to.Add("SCRIPT_FILENAME"u8, script.File);
        to.Add("DOCUMENT_ROOT"u8, script.Root);
        to.Add("PATH_INFO"u8, script.PathInfo);
        if (!script.PathInfo.IsEmpty)
        {
            to.Begin();
            to.Append("PATH_TRANSLATED"u8);
            to.BeginValue();
            to.Append(script.Root);
            to.Append(script.PathInfo);
            to.End();
        }

        // A php-cgi that is built to distrust who calls it wants to see that a web server has.
        to.Add("REDIRECT_STATUS"u8, "200"u8);
        WriteServer(ref to, buffer, head, context);
        WriteBody(ref to, buffer, head, context.BodyLength);
        WriteFields(ref to, buffer, head, context);
        WriteLines(ref to, context.Lines);
        return !to.IsFull;
    }

    private static void WriteServer(ref ParamsWriter to, scoped ReadOnlySpan<byte> buffer, RequestHead head, scoped CgiContext context)
    {
        var host = head.HostRange.Length > 0 ? head.HostRange.Of(buffer) : context.DefaultHost;
        var colon = host.LastIndexOf((byte)':');
        to.Add("SERVER_NAME"u8, head.HostRange.Length > 0 ? head.HostNameRange.Of(buffer) : colon < 0 ? host : host[..colon]);
        to.Begin();
        to.Append("SERVER_PORT"u8);
        to.BeginValue();
        to.Append(context.Port);
        to.End();
        to.Add("REMOTE_ADDR"u8, context.Client);
        to.Add("REQUEST_SCHEME"u8, context.Secure ? "https"u8 : "http"u8);
        if (context.Secure)
        {
            to.Add("HTTPS"u8, "on"u8);
        }

        to.Add("HTTP_HOST"u8, host);
        to.Add("HTTP_X_REQUEST_ID"u8, context.RequestId);
        to.Begin();
        to.Append("HTTP_X_REQUEST_START"u8);
        to.BeginValue();
        to.Append("t="u8);
        to.Append(context.UnixMilliseconds);
        to.End();
        if (!context.TrustsFields || !head.Has(KnownHeader.XForwardedFor))
        {
            to.Add("HTTP_X_FORWARDED_FOR"u8, context.Client);
        }

        if (!context.TrustsFields || !head.Has(KnownHeader.XForwardedProto))
        {
            to.Add("HTTP_X_FORWARDED_PROTO"u8, context.Secure ? "https"u8 : "http"u8);
        }

        if (!context.TrustsFields || !head.Has(KnownHeader.XRealIp))
        {
            to.Add("HTTP_X_REAL_IP"u8, context.Client);
        }

        if (!context.TrustsFields || !head.Has(KnownHeader.XForwardedHost))
        {
            to.Add("HTTP_X_FORWARDED_HOST"u8, host);
        }

        if (!context.TrustsFields || !head.Has(KnownHeader.XForwardedOther))
        {
            to.Begin();
            to.Append("HTTP_X_FORWARDED_PORT"u8);
            to.BeginValue();
            to.Append(context.Port);
            to.End();
        }
    }

    private static void WriteBody(ref ParamsWriter to, scoped ReadOnlySpan<byte> buffer, RequestHead head, long length)
    {
        if (length >= 0)
        {
            to.Begin();
            to.Append("CONTENT_LENGTH"u8);
            to.BeginValue();
            to.Append(length);
            to.End();
        }

        if (head.Has(KnownHeader.ContentType))
        {
            to.Add("CONTENT_TYPE"u8, head.Find(KnownHeader.ContentType).Of(buffer));
        }
    }

    private static void WriteFields(ref ParamsWriter to, scoped ReadOnlySpan<byte> buffer, RequestHead head, scoped CgiContext context)
    {
        var fields = head.Fields;
        for (var i = 0; i < fields.Length; i++)
        {
            if (!Passes(in fields[i], buffer, context) || Stands(fields[..i], in fields[i], buffer))
            {
                continue;
            }

            var name = fields[i].Name(buffer);
            to.Begin();
            to.AppendFieldName(name);
            to.BeginValue();
            to.Append(fields[i].Value(buffer));
            for (var j = i + 1; j < fields.Length; j++)
            {
                // A field that stands more than once is one list (RFC 9110 section 5.3); cookies are joined in their own way.
                if (IsSame(in fields[i], in fields[j], buffer))
                {
                    to.Append(fields[i].Known == KnownHeader.Cookie ? "; "u8 : ", "u8);
                    to.Append(fields[j].Value(buffer));
                }
            }

            to.End();
        }
    }

    private static void WriteLines(ref ParamsWriter to, scoped ReadOnlySpan<byte> lines)
    {
        while (lines.IndexOf("\r\n"u8) is var end and > 0)
        {
            var line = lines[..end];
            var colon = line.IndexOf((byte)':');
            to.Begin();
            to.AppendFieldName(line[..colon]);
            to.BeginValue();
            to.Append(line[(colon + 1)..].Trim((byte)' '));
            to.End();
            lines = lines[(end + 2)..];
        }
    }

    private static bool Passes(in HeaderField field, ReadOnlySpan<byte> buffer, CgiContext context)
    {
        // In a variable _ is what - is, and PHP makes _ of a dot and of other characters too, so such a name could pass for another one,
        // also for one that only we may say. Proxy would become HTTP_PROXY (httpoxy).
        return !field.Dropped && !field.Known.IsHopByHop() && !field.Name(buffer).ContainsAnyExcept(_nameCharacters) && field.Known switch
        {
            KnownHeader.Host or KnownHeader.ContentLength or KnownHeader.ContentType or KnownHeader.Expect or KnownHeader.Trailer => false,
            KnownHeader.IfNoneMatch or KnownHeader.IfModifiedSince => !context.OwnConditions,
            KnownHeader.XRequestId or KnownHeader.XRequestStart => false,
            _ => !field.Known.IsSetByProxy() || context.TrustsFields,
        };
    }

    private static bool Stands(ReadOnlySpan<HeaderField> before, in HeaderField field, ReadOnlySpan<byte> buffer)
    {
        foreach (ref readonly var other in before)
        {
            if (IsSame(in other, in field, buffer))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsSame(in HeaderField a, in HeaderField b, ReadOnlySpan<byte> buffer) =>
        a.NameLength == b.NameLength && !b.Dropped && Ascii.EqualsIgnoreCase(a.Name(buffer), b.Name(buffer));
}
