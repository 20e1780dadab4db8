using System.Globalization;
using System.Text;
using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

/// <summary>However the bytes are split on their way, the parse is the same.</summary>
public class SplitTests
{
    private static readonly HttpLimits _limits = HttpLimits.Default;

    /// <summary>Limits so small that the corpus meets them.</summary>
    private static readonly HttpLimits _tight = new()
    {
        MaxRequestLine = 40,
        MaxHeadBytes = 120,
        MaxHeaders = 4,
        MaxTrailerBytes = 12,
        MaxTrailers = 1,
        MaxChunkExtension = 8,
        MaxChunkExtensionsTotal = 10,
    };

    public static TheoryData<bool> Tight => [false, true];

    [Theory]
    [MemberData(nameof(Tight))]
    public void Requests(bool tight)
    {
        var limits = tight ? _tight : _limits;
        foreach (var message in Corpus.Accepted.Concat(Corpus.Hostile))
        {
            var bytes = WireText.Bytes(message);
            Compare(bytes, new RequestHead(), (head, buffer) => head.Parse(buffer, limits), Describe);
        }
    }

    [Theory]
    [MemberData(nameof(Tight))]
    public void Responses(bool tight)
    {
        var limits = tight ? _tight : _limits;
        foreach (var message in Corpus.Responses)
        {
            var bytes = WireText.Bytes(message);
            Compare(bytes, new ResponseHead(), (head, buffer) => head.Parse(buffer, limits, KnownMethod.Get, upgradeAsked: true), Describe);
        }
    }

    [Theory]
    [MemberData(nameof(Tight))]
    public void Chunked_bodies(bool tight)
    {
        var limits = tight ? _tight : _limits;
        foreach (var message in Corpus.ChunkedBodies)
        {
            var bytes = WireText.Bytes(message);
            var whole = Decode(bytes, [bytes.Length], limits);
            Assert.Equal(whole, Decode(bytes, Enumerable.Range(1, bytes.Length), limits));
            for (var split = 1; split < bytes.Length; split++)
            {
                Assert.Equal(whole, Decode(bytes, [split, bytes.Length], limits));
            }
        }
    }

    [Fact]
    public void Relayed_bodies()
    {
        foreach (var message in Corpus.ChunkedBodies)
        {
            var bytes = WireText.Bytes(message);
            var whole = Relay(bytes, [bytes.Length]);
            Assert.Equal(whole, Relay(bytes, Enumerable.Range(1, bytes.Length)));
            for (var split = 1; split < bytes.Length; split++)
            {
                Assert.Equal(whole, Relay(bytes, [split, bytes.Length]));
            }
        }
    }

    private delegate ParseStatus Parse<T>(T head, ReadOnlySpan<byte> buffer);

    private static void Compare<T>(byte[] bytes, T head, Parse<T> parse, Func<T, byte[], string> describe)
        where T : MessageHead
    {
        string Run(params IEnumerable<int> ends)
        {
            head.Reset();
            var status = ParseStatus.NeedMore;
            foreach (var end in ends)
            {
                // A fresh array each time: the buffer may move, and nothing behind its end may be looked at.
                status = parse(head, bytes.AsSpan(0, end).ToArray());
                if (status != ParseStatus.NeedMore)
                {
                    break;
                }
            }

            return $"{status} {head.Problem} {(status == ParseStatus.Done ? describe(head, bytes) : "")}";
        }

        var whole = Run(bytes.Length);
        Assert.Equal(whole, Run(Enumerable.Range(0, bytes.Length + 1)));
        for (var split = 0; split < bytes.Length; split++)
        {
            Assert.Equal(whole, Run(split, bytes.Length));
        }
    }

    private static string Describe(RequestHead head, byte[] bytes) => string.Create(
        CultureInfo.InvariantCulture,
        $"{head.Consumed} {head.Method} {head.MethodRange} {head.Version} {head.TargetForm} {head.TargetRange} {head.PathRange} {head.QueryRange} ")
        + $"{head.HostRange} {head.HostNameRange} {head.ExpectContinue} {head.Upgrade} {head.UpgradeRange} {head.IsWebSocket} {head.MaxForwards} {Fields(head, bytes)}";

    private static string Describe(ResponseHead head, byte[] bytes) =>
        $"{head.Consumed} {head.Status} {head.Version} {head.IsInterim} {Fields(head, bytes)}";

    private static string Fields(MessageHead head, byte[] bytes)
    {
        var text = new StringBuilder($"{head.Body} {head.ContentLength} {head.KeepAlive}");
        foreach (var field in head.Fields)
        {
            text.Append('|').Append(WireText.Text(field.Name(bytes))).Append('=').Append(WireText.Text(field.Value(bytes)))
                .Append(' ').Append(field.Known).Append(field.Dropped);
        }

        return text.ToString();
    }

    private static (ChunkedStatus Status, HttpProblem? Problem, int Consumed, string Data, string Trailers) Decode(byte[] bytes, IEnumerable<int> ends, HttpLimits limits)
    {
        var decoder = new ChunkedDecoder(limits);
        var text = new StringBuilder();
        var trailers = new StringBuilder();
        var at = 0;
        var status = ChunkedStatus.NeedMore;
        foreach (var end in ends)
        {
            do
            {
                var rest = bytes.AsSpan(at, end - at).ToArray();
                status = decoder.Read(rest, out var consumed, out var found);
                at += consumed;
                if (status is ChunkedStatus.Data or ChunkedStatus.Trailer)
                {
                    (status == ChunkedStatus.Data ? text : trailers.Append('|')).Append(WireText.Text(found.Of(rest)));
                }
            }
            while (status is ChunkedStatus.Data or ChunkedStatus.Trailer);

            if (status != ChunkedStatus.NeedMore)
            {
                break;
            }
        }

        return (status, decoder.Problem, status == ChunkedStatus.Done ? at : 0, text.ToString(), trailers.ToString());
    }

    /// <summary>The output's meaning: chunks may be cut differently.</summary>
    private static object Relay(byte[] bytes, IEnumerable<int> ends)
    {
        var relay = new ChunkedRelay(_limits);
        var destination = new byte[ChunkedRelay.MinimumDestination(_limits)];
        var output = new List<byte>();
        var at = 0;
        var status = ChunkedStatus.NeedMore;
        foreach (var end in ends)
        {
            status = relay.Relay(bytes.AsSpan(at, end - at).ToArray(), destination, out var consumed, out var written);
            at += consumed;
            output.AddRange(destination[..written]);
            if (status != ChunkedStatus.NeedMore)
            {
                break;
            }
        }

        var decoded = Decode([.. output], [output.Count], _limits);
        return (status, status == ChunkedStatus.Done ? at : 0, decoded with { Consumed = 0 });
    }
}
