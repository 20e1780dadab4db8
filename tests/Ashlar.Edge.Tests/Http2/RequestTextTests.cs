using System.Buffers;
using Ashlar.Edge.Http2;
using Ashlar.Http.Wire;
using Microsoft.AspNetCore.Http;

namespace Ashlar.Edge.Tests.Http2;

/// <summary>What becomes of a request of HTTP/2 is one request of HTTP/1.1, or none.</summary>
public sealed class RequestTextTests
{
    [Theory]
    [InlineData("GET", "/ HTTP/1.1\r\nX: y", "a", "b")]
    [InlineData("GET", "/a b", "a", "b")]
    [InlineData("GET", "", "a", "b")]
    [InlineData("GE T", "/", "a", "b")]
    [InlineData("GET\r\n", "/", "a", "b")]
    [InlineData("GET", "/", "a", "b\r\nc: d")]
    [InlineData("GET", "/", "a", "b\n")]
    [InlineData("GET", "/", "a", "b\0")]
    [InlineData("GET", "/", "a:b", "c")]
    [InlineData("GET", "/", "a b", "c")]
    [InlineData("GET", "/", "", "c")]
    [InlineData("GET", "/", "transfer-encoding", "chunked")]
    [InlineData("GET", "/", "Connection", "close")]
    [InlineData("GET", "/", "upgrade", "websocket")]
    public void What_could_be_read_as_more_than_a_field_is_refused(string method, string target, string name, string value) =>
        Assert.False(Write(method, target, new HeaderDictionary { [name] = value }, hasBody: false, out _));

    [Fact]
    public void Cookies_in_pieces_are_one_and_the_length_is_told()
    {
        var headers = new HeaderDictionary { ["host"] = "a.test", ["cookie"] = new(["a=1", "b=2"]), ["te"] = "trailers", ["content-length"] = "5" };
        Assert.True(Write("POST", "/p?q", headers, hasBody: true, out var text));
        Assert.Equal("POST /p?q HTTP/1.1\r\nhost: a.test\r\ncookie: a=1; b=2\r\nConnection: close\r\nContent-Length: 5\r\n\r\n", text);
    }

    [Fact]
    public void Whatever_comes_becomes_one_request_or_none()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var headers = new HeaderDictionary { ["Host"] = "a.test" };
            for (var i = random.Next(4); i > 0; i--)
            {
                headers[Text(random, 12)] = Text(random, 30);
            }

            if (!Write(random.Next(4) == 0 ? Text(random, 6) : "GET", random.Next(2) == 0 ? "/" + Text(random, 20) : "/", headers, random.Next(2) == 0, out var text))
            {
                continue;
            }

            var bytes = System.Text.Encoding.Latin1.GetBytes(text);
            var head = new RequestHead();
            var status = head.Parse(bytes, HttpLimits.Default);
            Assert.True(status == ParseStatus.Bad || (status == ParseStatus.Done && head.Consumed == bytes.Length), $"seed {seed}: {text}");
        }
    }

    private static string Text(Random random, int longest)
    {
        const string likely = "ab:/ \r\n\t\0%.-_~\"\u007f\u0080\u00ff\u0141connectionhost";
        return new string([.. Enumerable.Range(0, random.Next(longest)).Select(_ => likely[random.Next(likely.Length)])]);
    }

    private static bool Write(string method, string target, HeaderDictionary headers, bool hasBody, out string text)
    {
        var to = new ArrayBufferWriter<byte>();
        var written = RequestText.TryWrite(to, method, target, headers, hasBody, webSocket: false, out _);
        text = System.Text.Encoding.Latin1.GetString(to.WrittenSpan);
        return written;
    }
}
