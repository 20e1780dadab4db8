using System.Text;
using Ashlar.Edge.Gateways;
using Ashlar.Edge.Gateways.Cgi;
using Ashlar.Http.Transport;
using Ashlar.Http.Wire;
using static Ashlar.Edge.Tests.Gateways.FastCgiServer;

namespace Ashlar.Edge.Tests.Gateways;

/// <summary>Whatever a server, a script or a client of the host says, the parsers come to an end, and to the same one however it is cut.</summary>
public sealed class GatewayFuzzTests
{
    private static readonly byte[][] _answers =
    [
        [.. Stdout("Content-Type: text/plain\r\n\r\nhello", padding: 3), .. Stderr("a warning\n"), .. Stdout(""), .. End()],
        [.. Stderr(new string('x', 300)), .. Stdout(new string('y', 300), padding: 255), .. End(2)],
    ];

    private static readonly byte[][] _requests =
    [
        [.. Record(1, [0, 1, 1, 0, 0, 0, 0, 0]), .. Record(4, [11, 4, .. "SCRIPT_NAME/a/b"u8, 14, 3, .. "REQUEST_METHODGET"u8], 5), .. Record(4, []), .. Record(5, "body"u8), .. Record(5, [])],
    ];

    private static readonly byte[][] _heads = Mutation.Texts(
        "Content-Type: text/plain\r\nStatus: 404 Not Found\r\n\r\n", "Location: /a\nSet-Cookie: a=b\nSet-Cookie: c=d\n\n", "Status: 200\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        "Connection: close\nUpgrade: x\nKeep-Alive: 1\nTrailer: y\nA: b\n\n");

    [Theory]
    [InlineData(5_000)]
    public void Records_of_an_answer_are_read_or_refused(int rounds) => Records(rounds);

    [Theory]
    [Trait("Length", "Full")]
    [InlineData(500_000)]
    public void Records_of_an_answer_are_read_or_refused_for_long(int rounds) => Records(rounds);

    [Theory]
    [InlineData(5_000)]
    public void Records_of_a_request_are_read_or_refused(int rounds) => Requests(rounds);

    [Theory]
    [Trait("Length", "Full")]
    [InlineData(500_000)]
    public void Records_of_a_request_are_read_or_refused_for_long(int rounds) => Requests(rounds);

    [Theory]
    [InlineData(5_000)]
    public void A_head_of_CGI_becomes_one_head_of_HTTP_or_none(int rounds) => Heads(rounds);

    [Theory]
    [Trait("Length", "Full")]
    [InlineData(500_000)]
    public void A_head_of_CGI_becomes_one_head_of_HTTP_or_none_for_long(int rounds) => Heads(rounds);

    [Fact]
    public void Pairs_are_read_as_they_were_written()
    {
        Mutation.Try(2_000, Mutation.Texts("", "a", new string('n', 127), new string('v', 128), new string('w', 5000)), "a"u8, static (value, random) =>
        {
            var room = new byte[value.Length * 3 + 64];
            var writer = new ParamsWriter(room);
            writer.Add("FIRST"u8, value);
            writer.Add(value, "second"u8);
            ReadOnlySpan<byte> rest = room.AsSpan(0, writer.Written);
            Assert.True(ParamsReader.TryRead(ref rest, out var name, out var read) && name.SequenceEqual("FIRST"u8) && read.SequenceEqual(value));
            Assert.True(ParamsReader.TryRead(ref rest, out name, out read) && name.SequenceEqual(value) && read.SequenceEqual("second"u8) && rest.IsEmpty);
        });
    }

    private static void Records(int rounds) => Mutation.Try(rounds, _answers, [0, 1, 3, 6, 7, 8, 255], static (input, random) =>
    {
        var whole = new StringBuilder();
        var cut = new StringBuilder();
        var (decoder, errors) = (new RecordDecoder(), new ErrorLines(line => whole.Append('|').Append(line)));
        var copy = input.ToArray();
        var length = decoder.Decode(copy, errors);
        Assert.InRange(length, 0, input.Length);
        whole.Append(Encoding.Latin1.GetString(copy, 0, length));

        var pieces = new RecordDecoder();
        var lines = new ErrorLines(_ => { });
        for (var at = 0; at < input.Length && pieces.Status == RecordStatus.More;)
        {
            var piece = input.AsSpan(at, Math.Min(random.Next(1, 20), input.Length - at)).ToArray();
            at += piece.Length;
            cut.Append(Encoding.Latin1.GetString(piece, 0, pieces.Decode(piece, lines)));
        }

        Assert.Equal(decoder.Status, pieces.Status);
        Assert.Equal(Encoding.Latin1.GetString(copy, 0, length), cut.ToString());
        Assert.True(decoder.Status != RecordStatus.Ended || decoder.Ended == pieces.Ended);
    });

    private static void Requests(int rounds) => Mutation.Try(rounds, _requests, [0, 1, 4, 5, 8, 255], static (input, random) =>
    {
        var decoder = new RequestDecoder();
        var copy = input.ToArray();
        var body = Encoding.Latin1.GetString(copy, 0, decoder.Decode(copy));
        var pieces = new RequestDecoder();
        var cut = new StringBuilder();
        for (var at = 0; at < input.Length && pieces.Status != RequestStatus.Bad;)
        {
            var piece = input.AsSpan(at, Math.Min(random.Next(1, 20), input.Length - at)).ToArray();
            at += piece.Length;
            cut.Append(Encoding.Latin1.GetString(piece, 0, pieces.Decode(piece)));
        }

        Assert.Equal((decoder.Status, body), (pieces.Status, cut.ToString()));
        Assert.InRange(decoder.Variables.Length, 0, RequestDecoder.MostVariables);
        var variables = new ScriptVariables([KeyValuePair.Create("OWN", "x")]).For(decoder.Variables, out _);
        Assert.True(variables is null || variables.TrueForAll(static one => one.AsSpan().IndexOf((byte)'=') > 0 && !one.AsSpan().Contains((byte)0)));
    });

    private static void Heads(int rounds) => Mutation.Try(rounds, _heads, "\r\n:; \t0aS"u8, static (input, _) =>
    {
        if (CgiHead.Find(input, new HttpLimits(), out var length) != ParseStatus.Done)
        {
            return;
        }

        Assert.InRange(length, 1, input.Length);
        var pool = new BufferPool();
        var buffer = pool.RentLarge();
        if (CgiHead.Translate(input.AsSpan(0, length), buffer))
        {
            var response = new ResponseHead();
            var status = response.Parse(buffer.Data, new HttpLimits(), KnownMethod.Get, upgradeAsked: false);
            Assert.NotEqual(ParseStatus.NeedMore, status);
            Assert.True(status != ParseStatus.Done || (response.Consumed == buffer.Length && response.Body != BodyFraming.Chunked && !response.IsInterim));
        }

        pool.Return(buffer);
    });
}
