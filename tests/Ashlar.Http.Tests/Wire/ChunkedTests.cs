using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class ChunkedTests
{
    private static readonly HttpLimits _limits = HttpLimits.Default;

    /// <summary>Decodes; the data, the trailers that pass, and how much was consumed, or the problem.</summary>
    internal static (string Data, string Trailers, int Consumed, HttpProblem? Problem) Decode(string body, HttpLimits? limits = null)
    {
        var decoder = new ChunkedDecoder(limits ?? _limits);
        var bytes = WireText.Bytes(body);
        var (data, trailers, at) = ("", "", 0);
        while (true)
        {
            var rest = bytes.AsSpan(at);
            var status = decoder.Read(rest, out var consumed, out var found);
            at += consumed;
            switch (status)
            {
                case ChunkedStatus.Data:
                    data += WireText.Text(found.Of(rest));
                    break;
                case ChunkedStatus.Trailer:
                    trailers += WireText.Text(found.Of(rest)) + "|";
                    break;
                default:
                    Assert.Equal(status == ChunkedStatus.Bad, decoder.Problem is not null);
                    Assert.Equal(status == ChunkedStatus.Done, decoder.IsDone);
                    return (data, trailers, at, decoder.Problem);
            }
        }
    }

    [Theory]
    [InlineData("0\r\n\r\n", "")]
    [InlineData("00000000\r\n\r\n", "")]
    [InlineData("3\r\nabc\r\n0\r\n\r\n", "abc")]
    [InlineData("0003\r\nabc\r\nA\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "abc01234567890123456789")]
    [InlineData("2\r\n\r\n\r\n0\r\n\r\n", "\r\n")]
    [InlineData("3;a\r\nabc\r\n0;b=c\r\n\r\n", "abc")]
    [InlineData("3;a=\"b;\\\"\r\nabc\r\n0\r\n\r\n", null)]
    [InlineData("3;a=\"b;\\\"\t\xe9\";c=d\r\nabc\r\n0\r\n\r\n", "abc")]
    public void Chunks_are_joined_and_extensions_left_out(string body, string? data)
    {
        var result = Decode(body + "GET");
        Assert.Equal(data is null, result.Problem is not null);
        if (data is not null)
        {
            Assert.Equal((data, body.Length), (result.Data, result.Consumed));
        }
    }

    [Theory]
    [InlineData("+3")]
    [InlineData("-3")]
    [InlineData("0x3")]
    [InlineData("3_0")]
    [InlineData(" 3")]
    [InlineData("3 ")]
    [InlineData("3\t")]
    [InlineData("")]
    [InlineData("g")]
    [InlineData("3,3")]
    [InlineData("00000000000000003")]
    [InlineData("10000000000000000")]
    [InlineData("8000000000000000")]
    [InlineData("FFFFFFFFFFFFFFFF")]
    [InlineData("\xb2")]
    [InlineData(";a=b")]
    [InlineData("3 ;a=b")]
    public void A_size_is_1_to_16_hexadecimal_digits_below_2_to_the_63(string size) =>
        Assert.Same(HttpProblem.ChunkSize, Decode(size + "\r\nabc\r\n0\r\n\r\n").Problem);

    [Fact]
    public void The_largest_size_is_taken() => Assert.Null(Decode("7fffffffffffffff\r\nabc").Problem);

    [Theory]
    [InlineData("3;")]
    [InlineData("3; ")]
    [InlineData("3;a=")]
    [InlineData("3;a =b")]
    [InlineData("3; a=b")]
    [InlineData("3;=b")]
    [InlineData("3;;")]
    [InlineData("3;a;")]
    [InlineData("3;a=b\"")]
    [InlineData("3;a=\"b\"c")]
    [InlineData("3;a=\"b")]
    [InlineData("3;a=\"\x01\"")]
    [InlineData("3;a=\"\\\0\"")]
    [InlineData("3;a\nb")]
    [InlineData("3;a=\"\n\"")]
    [InlineData("3;\x7f")]
    [InlineData("3;a\xe9")]
    public void A_malformed_extension_is_refused(string line) =>
        Assert.Same(HttpProblem.ChunkExtension, Decode(line + "\r\nabc\r\n0\r\n\r\n").Problem);

    [Fact]
    public void An_extension_of_64_KiB_is_refused_long_before_its_end()
    {
        var result = Decode($"3;{new string('a', 65536)}\r\nabc\r\n0\r\n\r\n");
        Assert.Same(HttpProblem.ChunkExtension, result.Problem);
        Assert.True(result.Consumed < 300);
    }

    [Fact]
    public void Many_small_chunks_with_long_extensions_are_refused()
    {
        var chunk = $"1;{new string('a', 200)}\r\nx\r\n";
        Assert.Null(Decode(string.Concat(Enumerable.Repeat(chunk, 80))).Problem);
        Assert.Same(HttpProblem.ChunkExtension, Decode(string.Concat(Enumerable.Repeat(chunk, 90))).Problem);
    }

    [Theory]
    [InlineData("3\r\nabcX0\r\n\r\n")]
    [InlineData("3\r\nabc0\r\n\r\n")]
    [InlineData("3\r\nabcd\r\n0\r\n\r\n")]
    [InlineData("3\r\nab\r\n0\r\n\r\n")]
    [InlineData("3\r\nabc\n0\r\n\r\n")]
    [InlineData("3\r\nabc\r0\r\n\r\n")]
    public void Data_is_as_long_as_said_and_followed_by_CRLF(string body) =>
        Assert.Same(HttpProblem.ChunkEnd, Decode(body).Problem);

    [Theory]
    [InlineData("3\nabc\r\n0\r\n\r\n")]
    [InlineData("3\r\rabc\r\n0\r\n\r\n")]
    [InlineData("3\rabc\r\n0\r\n\r\n")]
    [InlineData("3;a\r\rabc\r\n0\r\n\r\n")]
    [InlineData("0\n\r\n")]
    public void A_size_line_ends_with_CRLF(string body) => Assert.Same(HttpProblem.ChunkLine, Decode(body).Problem);

    [Theory]
    [InlineData("3\r\nab")]
    [InlineData("3\r\nabc\r\n")]
    [InlineData("0\r\n")]
    [InlineData("0\r\nX: y\r\n")]
    public void A_body_cut_short_is_never_done(string body)
    {
        var decoder = new ChunkedDecoder(_limits);
        var bytes = WireText.Bytes(body);
        ChunkedStatus status;
        var at = 0;
        do
        {
            status = decoder.Read(bytes.AsSpan(at), out var consumed, out _);
            at += consumed;
        }
        while (status is ChunkedStatus.Data or ChunkedStatus.Trailer);

        Assert.Equal(ChunkedStatus.NeedMore, status);
        Assert.False(decoder.IsDone);
    }

    [Fact]
    public void What_arrived_together_goes_on_as_one_chunk()
    {
        var relay = new ChunkedRelay(_limits);
        var destination = new byte[ChunkedRelay.MinimumDestination(_limits)];
        var status = relay.Relay("1\r\na\r\n1\r\nb\r\n5\r\ncd"u8, destination, out _, out var written);
        Assert.Equal(ChunkedStatus.NeedMore, status);
        Assert.Equal("0004\r\nabcd\r\n", WireText.Text(destination.AsSpan(0, written)));
    }

    [Fact]
    public void A_bad_body_goes_on_up_to_where_it_was_good()
    {
        var relay = new ChunkedRelay(_limits);
        var destination = new byte[ChunkedRelay.MinimumDestination(_limits)];
        var status = relay.Relay("1\r\na\r\n1\r\nbX\r\n"u8, destination, out _, out var written);
        Assert.Equal(ChunkedStatus.Bad, status);
        Assert.Equal("0002\r\nab\r\n", WireText.Text(destination.AsSpan(0, written)));
        Assert.False(relay.IsDone);
    }

    [Fact]
    public void A_body_larger_than_the_destination_goes_on_in_turns()
    {
        var data = string.Concat(Enumerable.Range(0, 20_000).Select(i => (char)('a' + i % 26)));
        var input = WireText.Bytes($"{data.Length:x}\r\n{data}\r\n2;x\r\nzz\r\n0\r\nX-A: {new string('b', 5000)}\r\n\r\n");
        var relay = new ChunkedRelay(_limits);
        var destination = new byte[ChunkedRelay.MinimumDestination(_limits)];
        var output = "";
        var at = 0;
        while (!relay.IsDone)
        {
            var status = relay.Relay(input.AsSpan(at), destination, out var consumed, out var written);
            Assert.NotEqual(ChunkedStatus.Bad, status);
            Assert.True(consumed > 0);
            at += consumed;
            output += WireText.Text(destination.AsSpan(0, written));
        }

        var result = Decode(output);
        Assert.Equal((data + "zz", output.Length), (result.Data, result.Consumed));
        Assert.Equal($"X-A: {new string('b', 5000)}|", result.Trailers);
    }

    [Theory]
    [InlineData(1, "1\r\n")]
    [InlineData(255, "ff\r\n")]
    [InlineData(int.MaxValue, "7fffffff\r\n")]
    public void The_encoder_writes_sizes_in_hexadecimal(int length, string head)
    {
        var destination = new byte[ChunkedEncoder.MaxHeadLength];
        Assert.Equal(head, WireText.Text(destination.AsSpan(0, ChunkedEncoder.WriteHead(destination, length))));
    }
}
