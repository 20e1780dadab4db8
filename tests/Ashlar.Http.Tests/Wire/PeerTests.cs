using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

/// <summary>What we forward means the same to nginx and HAProxy as to us: one request, with this method, target, host and body.</summary>
public sealed class PeerTests
{
    private const string Marker = "GET /marker HTTP/1.1\r\nHost: marker\r\nConnection: close\r\n\r\n";

    public static TheoryData<string> Peers => ["nginx", "haproxy"];

    [Theory]
    [MemberData(nameof(Peers))]
    public Task The_corpus(string name)
    {
        // nginx takes methods of capitals alone and knows no asterisk: it refuses, which is no other meaning.
        string[] refused = name == "nginx" ? ["get /lower", "OPTIONS * ", "OPTIONS http://a.test "] : [];
        return CompareAsync(
            name,
            Corpus.Accepted.Select(WireText.Bytes),
            message => refused.Any(start => WireText.Text(message).StartsWith(start, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public Task Some_mutations_of_it(string name) => CompareAsync(name, Mutations(seed: 1, count: 300), _ => true);

    [Theory]
    [Trait("Length", "Full")]
    [MemberData(nameof(Peers))]
    public Task Many_mutations_of_it(string name) => CompareAsync(name, Mutations(seed: 2, count: 20_000), _ => true);

    /// <summary>Mutated requests that we accept.</summary>
    private static IEnumerable<byte[]> Mutations(int seed, int count)
    {
        var mutator = new Mutator(seed);
        var exchange = new Exchange();
        while (count > 0)
        {
            var message = mutator.NextRequest().ToArray();
            if (exchange.Forward(message))
            {
                count--;
                yield return message;
            }
        }
    }

    private static async Task CompareAsync(string name, IEnumerable<byte[]> messages, Func<byte[], bool> mayRefuse)
    {
        await using var echo = new EchoServer();
        using var peer = name == "nginx" ? PeerProxy.Nginx(echo.Port) : PeerProxy.HAProxy(echo.Port);
        var exchange = new Exchange();
        var differences = new List<string>();
        var (sent, refused) = (0, 0);
        foreach (var message in messages)
        {
            Assert.True(exchange.Forward(message), Corpus.Show(message));
            var (ours, method) = (Ours(exchange, message), exchange.Head.Method);
            var answer = await peer.SendAsync((byte[])[.. exchange.Forwarded, .. WireText.Bytes(Marker)]);
            var theirs = Reports(answer, method);
            sent++;
            if (theirs is [null] && mayRefuse(message))
            {
                refused++;
                continue;
            }

            if (theirs.Count != 2 || theirs[0] != ours || theirs[1]?.Target != "/marker")
            {
                differences.Add($"\"{Corpus.Show(message)}\"\n  ours:   {ours}\n  theirs: {string.Join(" then ", theirs)}\n  {Corpus.Show(answer.AsSpan(0, Math.Min(answer.Length, 120)))}");
            }
        }

        Assert.True(refused < sent / 3, $"{name} refused {refused} of {sent}");
        Assert.True(differences.Count == 0, $"{name} understands {differences.Count} otherwise:\n{string.Join("\n", differences.Take(20))}");
    }

    private static Understood Ours(Exchange exchange, byte[] message)
    {
        var head = exchange.Head;
        var target = head.TargetForm == TargetForm.Absolute
            ? (head.PathRange.Length > 0 ? WireText.Text(head.PathRange.Of(message))
                : head.Method == KnownMethod.Options && head.QueryRange.Length == 0 ? "*" : "/") + WireText.Text(head.QueryRange.Of(message))
            : WireText.Text(head.TargetRange.Of(message));
        var host = head.HostRange.Length == 0 ? "127.0.0.1:8080" : WireText.Text(head.HostRange.Of(message));
        return Understood.Of(WireText.Text(head.MethodRange.Of(message)), target, host, exchange.Body);
    }

    /// <summary>The reports in a stream of answers; null for one that the peer gave itself.</summary>
    private static List<Understood?> Reports(byte[] answer, KnownMethod method)
    {
        var reports = new List<Understood?>();
        var head = new ResponseHead();
        for (var at = 0; at < answer.Length;)
        {
            var rest = answer.AsSpan(at);
            head.Reset();
            Assert.True(head.Parse(rest, HttpLimits.Default, method) == ParseStatus.Done, $"{head.Problem} {Corpus.Show(rest)}");
            at += head.Consumed + (int)head.ContentLength;
            if (head.IsInterim)
            {
                continue;
            }

            var report = "";
            foreach (var field in head.Fields)
            {
                if (WireText.Text(field.Name(rest)).Equals("X-Report", StringComparison.OrdinalIgnoreCase))
                {
                    report = WireText.Text(field.Value(rest));
                }
            }

            reports.Add(report.Length == 0 ? null : EchoServer.Read(report));
            method = KnownMethod.Get;
            if (head.Body is BodyFraming.UntilClose or BodyFraming.Chunked)
            {
                break;
            }
        }

        return reports;
    }
}
