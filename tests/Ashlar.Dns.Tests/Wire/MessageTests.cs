using System.Buffers.Binary;
using Ashlar.Dns.Answers;
using Ashlar.Dns.Wire;
using Ashlar.Dns.Zones;

namespace Ashlar.Dns.Tests.Wire;

public sealed class MessageTests
{
    private const string Text = """
        $ORIGIN example.
        $TTL 300
        @ SOA ns1 root 1 2h 1h 1w 10m
        @ NS ns1
        @ NS ns2
        ns1 A 192.0.2.1
        ns2 A 192.0.2.2
        www A 192.0.2.80
        many TXT "text"
        """;

    private static readonly ZoneSet Zones = new([Zone.Of(MasterFile.Read(Text + string.Concat(Enumerable.Range(0, 100).Select(i => $"\nmany TXT \"text number {i}\"")), "z").Records, "z").Zone!]);

    [Fact]
    public void AnAnswerRepeatsNumberFlagsAndTheCaseOfTheQuestion()
    {
        var answer = Ask(Message("wWw.ExAmPlE.", RecordType.A, flags: 0x0110, id: 0xBEEF));
        Assert.Equal(0xBEEF, Number(answer, 0));
        Assert.Equal(0x8510, Number(answer, 2));
        Assert.Equal("wWw.ExAmPlE.", NameAt(answer, 12).ToString());
        Assert.Equal((1, 1, 2, 2), Counts(answer));
    }

    [Fact]
    public void EveryRecordOfAnAnswerIsReadAgain()
    {
        var answer = Ask(Message("www.example.", RecordType.A));
        var at = 12;
        _ = RecordReader.Name(answer, ref at);
        at += 4;
        var records = Enumerable.Range(0, 5).Select(_ => RecordReader.Record(answer, ref at)!.ToString()).ToArray();
        Assert.Equal(
            ["www.example. 300 IN A 192.0.2.80", "example. 300 IN NS ns1.example.", "example. 300 IN NS ns2.example.", "ns1.example. 300 IN A 192.0.2.1", "ns2.example. 300 IN A 192.0.2.2"], records);
        Assert.Equal(answer.Length, at);
    }

    [Theory]
    [InlineData(null, 512)]
    [InlineData(100, 512)]
    [InlineData(900, 900)]
    [InlineData(65535, ResponseWriter.OwnSize)]
    public void WhatDoesNotFitIsLeftOutAndTold(int? edns, int most)
    {
        var answer = Ask(Message("many.example.", RecordType.TXT, edns: edns));
        Assert.InRange(answer.Length, 12, most);
        Assert.Equal(0x0200, Number(answer, 2) & 0x0200);
        Assert.Equal(0, Counts(answer).Answers);
        Assert.Equal(0, Number(Ask(Message("many.example.", RecordType.TXT), overTcp: true), 2) & 0x0200);
    }

    [Fact]
    public void AVersionOfEdnsThatIsNotKnownIsToldInTheUpperBits()
    {
        var answer = Ask(Message("www.example.", RecordType.A, edns: 1232, version: 1));
        Assert.Equal((0, 0, 1), (Number(answer, 2) & 0xF, Counts(answer).Answers, answer[^6]));
    }

    [Fact]
    public void DnssecOkIsRepeatedAndOtherFlagsOfEdnsAreNot() =>
        Assert.Equal(0x8000, Number(Ask(Message("www.example.", RecordType.A, edns: 1232, ednsFlags: 0xFFFF)), ^4));

    [Fact]
    public void OptionsThatAreNotKnownAreIgnored() =>
        Assert.Equal(1, Counts(Ask(Message("www.example.", RecordType.A, edns: 1232, options: [0xFF, 0xFE, 0, 2, 1, 2]))).Answers);

    [Theory]
    [InlineData("other.", RecordType.A, 5)]
    [InlineData("example.", RecordType.AXFR, 5)]
    [InlineData("nope.example.", RecordType.A, 3)]
    public void WhatIsNotAnsweredIsToldWhy(string name, RecordType type, int code) => Assert.Equal(code, Number(Ask(Message(name, type)), 2) & 0xF);

    [Fact]
    public void OtherKindsOfQueriesAreNotImplementedAndResponsesAreNotAnswered()
    {
        Assert.Equal(4, Number(Ask(Message("www.example.", RecordType.A, flags: 15 << 11)), 2) & 0xF);
        Assert.Empty(Ask(Message("www.example.", RecordType.A, flags: 0x8000)));
        Assert.Empty(Ask([1, 2, 3]));
    }

    [Fact]
    public void ANameThatPointsAtItselfIsMalformed()
    {
        byte[] loop = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1];
        Assert.Equal(1, Number(Ask(loop), 2) & 0xF);
    }

    [Fact]
    public void WhateverComesIsAnsweredOrNotAndNothingBreaks() => Fuzz(20_000);

    [Fact]
    [Trait("Length", "Full")]
    public void WhateverComesIsAnsweredOrNotAndNothingBreaksForLong() => Fuzz(1_000_000);

    private static void Fuzz(int rounds)
    {
        const int seed = 20261122;
        var random = new Random(seed);
        byte[][] seeds = [Message("www.example.", RecordType.A), Message("many.example.", RecordType.TXT, edns: 700, options: [0, 3, 0, 1, 9]), Message("a.b.example.", RecordType.ANY, edns: 512)];
        for (var round = 0; round < rounds; round++)
        {
            var message = seeds[random.Next(seeds.Length)].ToArray();
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                message[random.Next(message.Length)] = (byte)random.Next(256);
            }

            message = message[..random.Next(message.Length / 2, message.Length + 1)];
            try
            {
                var answer = Ask(message);
                Assert.True(answer.Length == 0 || (answer.Length >= 12 && (answer[2] & 0x80) != 0));
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}, round {round}: {Convert.ToHexString(message)}\n{e}");
            }
        }
    }

    private static byte[] Ask(byte[] message, bool overTcp = false)
    {
        var into = new byte[overTcp ? Responder.MostOctets : ResponseWriter.OwnSize];
        return into[..Responder.Respond(message, Zones, overTcp, into)];
    }

    private static byte[] Message(string name, RecordType type, int flags = 0, int id = 7, int? edns = null, int version = 0, int ednsFlags = 0, byte[]? options = null)
    {
        var message = new List<byte> { (byte)(id >> 8), (byte)id, (byte)(flags >> 8), (byte)flags, 0, 1, 0, 0, 0, 0, 0, (byte)(edns is null ? 0 : 1) };
        message.AddRange(DnsName.Parse(name).Wire);
        message.AddRange([(byte)((int)type >> 8), (byte)type, 0, 1]);
        if (edns is { } size)
        {
            var length = options?.Length ?? 0;
            message.AddRange([0, 0, (byte)RecordType.OPT, (byte)(size >> 8), (byte)size, 0, (byte)version, (byte)(ednsFlags >> 8), (byte)ednsFlags, (byte)(length >> 8), (byte)length, .. options ?? []]);
        }

        return [.. message];
    }

    private static DnsName NameAt(byte[] message, int at) => RecordReader.Name(message, ref at)!;

    private static int Number(byte[] message, Index at) => BinaryPrimitives.ReadUInt16BigEndian(message.AsSpan(at.GetOffset(message.Length)));

    private static (int Questions, int Answers, int Authorities, int Additionals) Counts(byte[] message) => (Number(message, 4), Number(message, 6), Number(message, 8), Number(message, 10));
}
