namespace Ashlar.Http.Tests.Wire;

public class TrailerTests
{
    [Fact]
    public void A_harmless_trailer_goes_on_as_a_trailer()
    {
        var result = ChunkedTests.Decode("0\r\nGrpc-Status: 0\r\nX-Checksum:\tabc\r\n\r\n");
        Assert.Equal("Grpc-Status: 0|X-Checksum:\tabc|", result.Trailers);
    }

    [Theory]
    [InlineData("Content-Length: 5")]
    [InlineData("transfer-encoding: chunked")]
    [InlineData("Host: b")]
    [InlineData("Authorization: Basic x")]
    [InlineData("Cookie: a=b")]
    [InlineData("Set-Cookie: a=b")]
    [InlineData("Connection: close")]
    [InlineData("X-Forwarded-For: 1.1.1.1")]
    [InlineData("X-Forwarded-Anything: x")]
    [InlineData("Forwarded: for=1.1.1.1")]
    [InlineData("X-Request-Id: x")]
    [InlineData("Content-Type: text/html")]
    [InlineData("Content-Encoding: gzip")]
    [InlineData("Content-Range: bytes 0-1/2")]
    [InlineData("Cache-Control: public")]
    [InlineData("Trailer: X")]
    [InlineData("Location: /")]
    [InlineData("Via: 1.1 x")]
    [InlineData("X_Forwarded_For: 1.1.1.1")]
    [InlineData("a_b: c")]
    public void One_that_frames_routes_or_vouches_is_left_out(string line)
    {
        var result = ChunkedTests.Decode($"1\r\na\r\n0\r\nX-A: 1\r\n{line}\r\nX-B: 2\r\n\r\n");
        Assert.Null(result.Problem);
        Assert.Equal("X-A: 1|X-B: 2|", result.Trailers);
    }

    [Theory]
    [InlineData("X: a\n\r\n")]
    [InlineData("X: a\r\n\n")]
    [InlineData("X: a\r\r\n\r\n")]
    [InlineData("X: \0\r\n\r\n")]
    [InlineData("X : a\r\n\r\n")]
    [InlineData(": a\r\n\r\n")]
    [InlineData("X\r\n\r\n")]
    [InlineData("X: a\r\n b\r\n\r\n")]
    [InlineData(" X: a\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    public void A_malformed_one_is_refused(string trailers) =>
        Assert.Equal(400, ChunkedTests.Decode("0\r\n" + trailers).Problem!.Status);

    [Fact]
    public void Their_size_and_number_are_bounded()
    {
        Assert.Equal(431, ChunkedTests.Decode($"0\r\nX: {new string('a', 9000)}").Problem!.Status);
        Assert.Equal(431, ChunkedTests.Decode("0\r\n" + string.Concat(Enumerable.Repeat($"X: {new string('a', 900)}\r\n", 10))).Problem!.Status);
        Assert.Equal(431, ChunkedTests.Decode("0\r\n" + string.Concat(Enumerable.Repeat("X: a\r\n", 33)) + "\r\n").Problem!.Status);
    }

    [Fact]
    public void Trailer_is_passed_on_where_trailers_are()
    {
        Assert.Contains("\r\nTrailer: X-A\r\n", WireText.Forward(WireText.Post("Trailer: X-A\r\nTransfer-Encoding: chunked\r\n")), StringComparison.Ordinal);
        Assert.DoesNotContain("Trailer", WireText.Forward(WireText.Post("Trailer: X-A\r\nContent-Length: 1\r\n")), StringComparison.Ordinal);
        const string Response = "HTTP/1.1 200 OK\r\nTrailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n";
        Assert.Contains("\r\nTrailer: X-A\r\n", WireText.Relay(Response), StringComparison.Ordinal);
        Assert.DoesNotContain("Trailer", WireText.Relay(Response, clientVersion: 10), StringComparison.Ordinal);
    }
}
