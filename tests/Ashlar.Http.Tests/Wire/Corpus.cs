using System.Globalization;

namespace Ashlar.Http.Tests.Wire;

/// <summary>Messages to split, mutate and forward: what clients really send, the corners of the rules, and attacks.</summary>
internal static class Corpus
{
    public const string Browser =
        "GET /products/list?page=2&sort=price HTTP/1.1\r\nHost: storefront.test\r\nConnection: keep-alive\r\n"
        + "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n"
        + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
        + "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
        + "Referer: http://storefront.test/products\r\nSec-Fetch-Mode: navigate\r\nUpgrade-Insecure-Requests: 1\r\n"
        + "Cookie: session=4f2c1a9be07d4c55b7c1f0a2d3e4f5a6; theme=dark; _ga=GA1.2.1234567890.1700000000\r\n\r\n";

    public const string Tiny = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    /// <summary>Complete requests that are accepted, each with its body.</summary>
    public static readonly string[] Accepted =
    [
        Tiny,
        Browser,
        "\r\n\r\n" + Tiny,
        "GET / HTTP/1.0\r\n\r\n",
        "GET /x?y HTTP/1.0\r\nHost: a.test:80\r\nConnection: keep-alive\r\n\r\n",
        "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 5\r\n\r\n",
        "OPTIONS http://a.test HTTP/1.1\r\nHost: b\r\n\r\n",
        "DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n",
        "PROPFIND /dav/ HTTP/1.1\r\nHost: a\r\nDepth: 1\r\nContent-Length: 4\r\n\r\n<a/>",
        "get /lower HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://shop.test:8080/a/b?c HTTP/1.1\r\nHost: other\r\n\r\n",
        "GET http://shop.test?c HTTP/1.1\r\nHost: other\r\n\r\n",
        "GET /a//b/./c;d=e/%41%2f%e9/...?x=/../%00#".TrimEnd('#') + " HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a|b?c={d}^`\"<>\\[] HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "GET //double HTTP/1.1\r\nHost: a:\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\nContent-Type: text/plain\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT /f HTTP/1.1\r\nHost: a\r\nContent-Length: 37\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\nxyz"[..^1],
        "GET /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:CHUNKED \r\n\r\n5;a=b;c=\"d;e\"\r\nhello\r\n00A\r\n0123456789\r\n000;x\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTE: trailers, gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\r\r\n1\r\n\n\r\n0\r\nX-Sum: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop, host, , content-length\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX_Forwarded_For: 2.2.2.2\r\nX-Real-IP: 3.3.3.3\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX_User: 1\r\nX-User: 2\r\nother_one: 3\r\nContent_Length: 7\r\nTransfer_Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nEmpty:\r\nTabs:\t\ta\tb\t\t\r\nHigh: \xe9\xff\x80\r\n!#$%&'*+-.^`|~: odd\r\nX: 1\r\nX: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nProxy: http://evil/\r\nAuthorization: Basic y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 other\r\nDate: x\r\nMax-Forwards: 3\r\nRange: bytes=0-1\r\n\r\n",
    ];

    /// <summary>Requests that are refused, and near misses of attacks; some are accepted with a body that is refused.</summary>
    public static readonly string[] Hostile =
    [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\rContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;\nxx\r\n4c\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
        "GET http://u@b/ HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%2e%2e/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\rHost: a\r\r",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ];

    /// <summary>Responses, good and bad, without body.</summary>
    public static readonly string[] Responses =
    [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nServer: Kestrel\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\nConnection: keep-alive, X-A\r\nX-A: b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 299 \xe9\x80\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
    ];

    /// <summary>Chunked bodies, good and bad, some with more behind them.</summary>
    public static readonly string[] ChunkedBodies =
    [
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\nGET",
        "5;a=b;c=\"d\\\"\"\r\nhello\r\n00A\r\n0123456789\r\n0;x\r\nX-A: 1\r\nHost: no\r\nX-B: 2\r\n\r\nmore",
        "1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n",
        "0\r\nX: a\n\r\n",
        "0\r\nX : a\r\n\r\n",
        "0\r\nX: a\rb\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
    ];

    /// <summary>How a message is named in a failure: its escaped text.</summary>
    public static string Show(ReadOnlySpan<byte> message)
    {
        var text = new System.Text.StringBuilder();
        foreach (var b in message)
        {
            text.Append(b switch
            {
                (byte)'\r' => "\\r",
                (byte)'\n' => "\\n",
                (byte)'"' => "\\\"",
                (byte)'\\' => "\\\\",
                >= 0x20 and < 0x7f => ((char)b).ToString(),
                _ => string.Create(CultureInfo.InvariantCulture, $"\\x{b:x2}"),
            });
        }

        return text.ToString();
    }
}
