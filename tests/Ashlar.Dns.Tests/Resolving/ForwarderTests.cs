using System.Net;
using Ashlar.Dns.Resolving;
using Ashlar.Dns.Wire;
using Record = Ashlar.Dns.Wire.Record;

namespace Ashlar.Dns.Tests.Resolving;

/// <summary>Names of others are asked of resolvers, which may be slow, wrong, gone or somebody else.</summary>
public sealed class ForwarderTests
{
    [Fact]
    public async Task AnAnswerIsKeptAndTheQuestionAskedOnce()
    {
        await using var server = new FalseServer((query, _) => [FalseServer.Answer(query, 60, "192.0.2.1")]);
        var forwarder = Of(server);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => forwarder.ResolveAsync(Key("WWW.example"))));
        Assert.All(answers, answer => Assert.Equal("192.0.2.1", Address(answer)));
        Assert.Equal("192.0.2.1", Address(await forwarder.ResolveAsync(Key("www.EXAMPLE"))));
        Assert.Equal(1, server.Queries);
    }

    [Fact]
    public async Task WhatWasGuessedIsNotTaken()
    {
        await using var server = new FalseServer((query, _) => [WithNumber(query), WithOtherCase(query), WithOtherName(query), [1, 2, 3], query, FalseServer.Answer(query, 60, "192.0.2.1")]);
        Assert.Equal("192.0.2.1", Address(await Of(server).ResolveAsync(Key("www.a-name-of-many-letters.example"))));
    }

    [Fact]
    public async Task WhatIsNotOfTheQuestionIsLeftOut()
    {
        await using var server = new FalseServer((query, _) =>
        [
            FalseServer.Answer(query, new Response
            {
                Answers =
                [
                    new Record(DnsName.Parse("www.example"), RecordType.CNAME, 60, new RecordData(DnsName.Parse("cdn.example").Wire.ToArray())),
                    new Record(DnsName.Parse("cdn.example"), RecordType.A, 60, new RecordData([192, 0, 2, 1])),
                    new Record(DnsName.Parse("bank.example"), RecordType.A, 60, new RecordData([192, 0, 2, 66])),
                ],
            }),
        ]);
        Assert.Equal(2, (await Of(server).ResolveAsync(Key("www.example"))).Answers.Length);
    }

    [Fact]
    public async Task WhatIsCutIsAskedForOverTcp()
    {
        await using var server = new FalseServer((query, overTcp) =>
        {
            var answer = FalseServer.Answer(query, 60, overTcp ? [.. Enumerable.Range(1, 200).Select(i => $"192.0.2.{i}")] : []);
            answer[2] |= (byte)(overTcp ? 0 : 0x02);
            return [answer];
        });
        Assert.Equal(200, (await Of(server).ResolveAsync(Key("big.example"))).Answers.Length);
    }

    [Fact]
    public async Task OneThatFailsOrIsGoneIsPassedOver()
    {
        await using var failing = new FalseServer((query, _) => [FalseServer.Answer(query, new Response { Code = ResponseCode.ServerFailure })]);
        await using var silent = new FalseServer((_, _) => []);
        await using var good = new FalseServer((query, _) => [FalseServer.Answer(query, 60, "192.0.2.1")]);
        var forwarder = Of(failing, silent, good);
        Assert.Equal("192.0.2.1", Address(await forwarder.ResolveAsync(Key("a.example"))));
        Assert.Equal("192.0.2.1", Address(await forwarder.ResolveAsync(Key("b.example"))));
        Assert.Equal(1, silent.Queries); // Whoever answered is asked first from then on.
    }

    [Fact]
    public async Task WhereNobodyAnswersItFailsAndSaysSo()
    {
        var said = "";
        var forwarder = new Forwarder(() => [], TimeProvider.System) { Unanswered = (name, asked) => said = $"{name} {asked}" };
        Assert.Equal(ResponseCode.ServerFailure, (await forwarder.ResolveAsync(Key("www.example"))).Code);
        Assert.Equal("www.example. there is no resolver to ask", said);
    }

    [Fact]
    public async Task NamesThatNobodyAnswersKeepNoOthersFromBeingAsked()
    {
        await using var server = new FalseServer((query, _) => Query.Read(query)!.Question!.Value.Name.ToString().StartsWith("good", StringComparison.OrdinalIgnoreCase) ? [FalseServer.Answer(query, 60, "192.0.2.1")] : []);
        var time = new SetTime();
        var forwarder = new Forwarder(() => [server.Address], time, most: 4);
        var slow = Enumerable.Range(0, 4).Select(i => forwarder.ResolveAsync(Key($"slow{i}.example"))).ToArray();
        Assert.Equal(ResponseCode.ServerFailure, (await forwarder.ResolveAsync(Key("good1.example"))).Code);
        Assert.All(slow, asked => Assert.False(asked.IsCompleted));

        time.Now += Forwarder.Slow;
        Assert.Equal("192.0.2.1", Address(await forwarder.ResolveAsync(Key("good2.example"))));
        Assert.Equal(ResponseCode.ServerFailure, (await slow[0]).Code);
        Assert.All(slow[1..], asked => Assert.False(asked.IsCompleted));
        Assert.Same(slow[1], forwarder.ResolveAsync(Key("slow1.example")));
    }

    [Fact]
    public void AnswersAreKeptForTheirTimeAndNotWithoutBound()
    {
        var time = new SetTime();
        var cache = new AnswerCache(time, most: 100);
        Response Of(uint life) => new() { Answers = [new Record(DnsName.Parse("a.example"), RecordType.A, life, new RecordData([192, 0, 2, 1]))] };
        cache.Keep(Key("a.example"), Of(60));
        time.Now += TimeSpan.FromSeconds(20);
        Assert.Equal(40u, cache.Find(Key("a.example"))!.Answers[0].TimeToLive);
        time.Now += TimeSpan.FromSeconds(40);
        Assert.Null(cache.Find(Key("a.example")));
        cache.Keep(Key("b.example"), Of(0));
        Assert.Null(cache.Find(Key("b.example")));
        cache.Keep(Key("c.example"), new Response { Code = ResponseCode.NameError });
        Assert.Null(cache.Find(Key("c.example"))); // Without a SOA nobody says for how long.
        for (var i = 0; i < 1000; i++)
        {
            cache.Keep(Key($"n{i}.example"), Of(60));
        }

        Assert.InRange(cache.Count, 1, 100);
    }

    [Fact]
    public void TheResolversOfTheSystemAreReadAndReadAgain()
    {
        using var folder = new Testing.TempFolder();
        var path = Path.Combine(folder.Path, "resolv.conf");
        File.WriteAllText(path, "# one\nnameserver 192.0.2.53\n nameserver\t2001:db8::53\nsearch example\nnameserver nonsense\n");
        var time = new SetTime();
        var resolvers = new SystemResolvers(path, time);
        Assert.Equal(["192.0.2.53:53", "[2001:db8::53]:53"], resolvers.Known.Select(server => server.ToString()));
        File.WriteAllText(path, "nameserver 127.0.0.53\n");
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(1));
        time.Now += TimeSpan.FromSeconds(10);
        Assert.Equal(["127.0.0.53:53"], resolvers.Known.Select(server => server.ToString()));
    }

    [Fact]
    public void OnlyLoopbackAndTheMachinesAreTrusted()
    {
        var trusted = new TrustedClients([IPAddress.Parse("10.0.0.11"), IPAddress.Parse("2001:db8::1")]);
        Assert.All(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.0.0.11", "::ffff:10.0.0.11", "2001:db8::1"], address => Assert.True(trusted.Contains(IPAddress.Parse(address)), address));
        Assert.All(["10.0.0.12", "192.0.2.1", "::", "0.0.0.0", "2001:db8::2", "128.0.0.1"], address => Assert.False(trusted.Contains(IPAddress.Parse(address)), address));
        Assert.True(trusted.ContainsSocketAddress([2, 0, 1, 1, 10, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0]));
        Assert.False(trusted.ContainsSocketAddress([2, 0, 1, 1, 10, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]));
    }

    [Theory]
    [InlineData(2_000)]
    public void AnyOctetsAreReadOrNot(int rounds)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        try
        {
            for (var i = 0; i < rounds; i++)
            {
                var query = UpstreamQuery.Of(new Question(DnsName.Parse("www.example"), RecordType.A), signed: i % 2 == 0, @unchecked: false);
                var answer = FalseServer.Answer(query.Message.ToArray(), 60, "192.0.2.1", "192.0.2.2");
                for (var changes = random.Next(1, 6); changes > 0; changes--)
                {
                    answer[random.Next(12, answer.Length)] = (byte)random.Next(256);
                }

                answer = answer[..random.Next(12, answer.Length + 1)];
                if (query.IsAnsweredBy(answer))
                {
                    query.Read(answer);
                }
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}", e);
        }
    }

    private static Forwarder Of(params FalseServer[] servers) => new(() => [.. servers.Select(server => server.Address)], TimeProvider.System);

    private static AnswerKey Key(string name) => new(new Question(DnsName.Parse(name), RecordType.A), false, false);

    private static string Address(Response response) => new IPAddress(Assert.Single(response.Answers).Data.Octets).ToString();

    private static byte[] WithNumber(byte[] query) => Changed(query, answer => answer[0] ^= 1);

    private static byte[] WithOtherCase(byte[] query) => Changed(query, answer => answer[13] ^= 0x20);

    private static byte[] WithOtherName(byte[] query) => Changed(query, answer => answer[17]++);

    private static byte[] Changed(byte[] query, Action<byte[]> change)
    {
        var answer = FalseServer.Answer(query, 60, "192.0.2.66");
        change(answer);
        return answer;
    }

    private sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch.AddYears(50);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long GetTimestamp() => Now.Ticks;
    }
}
