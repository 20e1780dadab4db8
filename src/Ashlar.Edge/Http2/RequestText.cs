using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Ashlar.Edge.Http2;

/// <summary>
/// A request of HTTP/2 as the HTTP/1.1 head that our own strict parser reads. Nothing that could end a line, a field or the head passes, and no
/// field that would mean something to framing (RFC 9113 section 8.2): so no request can be made to look like two.
/// </summary>
internal static class RequestText
{
    private static readonly SearchValues<char> _token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    private static readonly SearchValues<char> _target = SearchValues.Create(Enumerable.Range('!', '~' - '!' + 1).Select(static c => (char)c).ToArray());

    /// <summary>Writes it.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="method">The method.</param>
    /// <param name="target"><c>:path</c> as it came.</param>
    /// <param name="headers">The fields; Host is the <c>:authority</c>.</param>
    /// <param name="hasBody">Whether DATA may follow.</param>
    /// <param name="webSocket">True: what was asked for is a WebSocket (RFC 8441), which HTTP/1.1 asks for by an upgrade.</param>
    /// <param name="isChunked">True: the body has to be written in chunks, because its length is not told.</param>
    /// <returns>False: it is malformed, and nothing of use has been written.</returns>
    public static bool TryWrite(
        IBufferWriter<byte> to, string method, string target, IHeaderDictionary headers, bool hasBody, bool webSocket, out bool isChunked)
    {
        isChunked = false;
        if (!IsToken(method) || target.Length == 0 || target.AsSpan().ContainsAnyExcept(_target))
        {
            return false;
        }

        var text = new StringBuilder(512).Append(webSocket ? "GET" : method).Append(' ').Append(target).Append(" HTTP/1.1\r\n");
        foreach (var (name, values) in headers)
        {
            if (name.Length > 0 && name[0] == ':')
            {
                continue;
            }

            if (!IsToken(name) || IsOfConnection(name))
            {
                return false;
            }

            if (IsOurs(name) || (webSocket && name.Equals("Sec-WebSocket-Key", StringComparison.OrdinalIgnoreCase)))
            {
                continue;
            }

            if (!Append(text, name, values))
            {
                return false;
            }
        }

        if (webSocket)
        {
            text.Append("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ").Append(Convert.ToBase64String(Guid.NewGuid().ToByteArray())).Append("\r\n");
        }
        else
        {
            text.Append("Connection: close\r\n");
            if (headers.ContentLength is { } length)
            {
                text.Append("Content-Length: ").Append(length).Append("\r\n");
            }
            else if (hasBody)
            {
                isChunked = true;
                text.Append("Transfer-Encoding: chunked\r\n");
            }
        }

        text.Append("\r\n");
        foreach (var chunk in text.GetChunks())
        {
            Encoding.Latin1.GetBytes(chunk.Span, to);
        }

        return true;
    }

    private static bool Append(StringBuilder text, string name, StringValues values)
    {
        // A cookie may come in pieces, which HTTP/1.1 does not know (RFC 9113 section 8.2.3).
        if (values.Count > 1 && name.Equals("Cookie", StringComparison.OrdinalIgnoreCase))
        {
            values = string.Join("; ", values.ToArray());
        }

        foreach (var value in values)
        {
            if (value is null || !IsValue(value))
            {
                return false;
            }

            text.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        return true;
    }

    private static bool IsToken(string name) => name.Length > 0 && !name.AsSpan().ContainsAnyExcept(_token);

    private static bool IsValue(string value)
    {
        foreach (var c in value)
        {
            if (c is (< ' ' and not '\t') or '\x7f' or > '\xff')
            {
                return false;
            }
        }

        return true;
    }

    // RFC 9113 section 8.2.2: a request with one of these is malformed.
    private static bool IsOfConnection(string name) => name.ToLowerInvariant() is "connection" or "keep-alive" or "proxy-connection" or "transfer-encoding" or "upgrade";

    private static bool IsOurs(string name) => name.ToLowerInvariant() is "content-length" or "te" or "http2-settings";
}
