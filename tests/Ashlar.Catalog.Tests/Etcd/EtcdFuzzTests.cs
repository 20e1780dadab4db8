using System.Text;
using System.Text.Json;
using Ashlar.Catalog.Etcd;

namespace Ashlar.Catalog.Tests.Etcd;

/// <summary>Answers that are damaged at random are read or refused, by the exceptions that are meant for it, and never without end.</summary>
public sealed class EtcdFuzzTests
{
    private const int Seed = 20_261_122;
    private const int Longest = 4096;
    private static readonly Uri Member = new("http://127.0.0.1:1");

    private static readonly byte[][] Samples = [.. new[]
    {
        FakeEtcd.Line(7, "\"created\":true"),
        FakeEtcd.Line(8, $"\"events\":[{FakeEtcd.Change("a", 8, "x")},{FakeEtcd.Change("b", 8, "y")}]"),
        FakeEtcd.Line(8, "\"canceled\":true,\"compact_revision\":\"5\""),
        """{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}}""" + "\n",
        FakeEtcd.Object(8, """ "kvs":[{"key":"YQ==","create_revision":"2","mod_revision":"2","version":"1","value":"YQ=="}],"count":"1" """) + "\n",
    }.Select(Encoding.UTF8.GetBytes)];

    [Fact]
    public Task Quick() => RunAsync(3000);

    [Fact]
    [Trait("Length", "Full")]
    public Task Long() => RunAsync(400_000);

    private static async Task RunAsync(int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var random = new Random(Seed + round);
            try
            {
                await OneAsync(random);
            }
            catch (Exception e)
            {
                Assert.Fail($"Seed {Seed + round}: {e}");
            }
        }
    }

    private static async Task OneAsync(Random random)
    {
        var text = Enumerable.Range(0, random.Next(1, 5)).SelectMany(_ => Samples[random.Next(Samples.Length)]).ToArray();
        for (var change = random.Next(0, 6); change > 0; change--)
        {
            var at = random.Next(text.Length);
            switch (random.Next(4))
            {
                case 0:
                    text[at] = (byte)random.Next(256);
                    break;
                case 1:
                    text = [.. text[..at], .. text[random.Next(text.Length)..]];
                    break;
                case 2:
                    text = [.. text[..at], .. Enumerable.Repeat((byte)"[{9\n\""[random.Next(5)], random.Next(1, Longest)), .. text[at..]];
                    break;
                default:
                    text[at] = (byte)"\n\r{}[]\",:-0"[random.Next(11)];
                    break;
            }

            if (text.Length == 0)
            {
                return;
            }
        }

        using var source = new Chunks(text, random);
        var lines = new JsonLines(source, Longest);
        try
        {
            while (await lines.NextAsync(CancellationToken.None) is { } line)
            {
                Assert.InRange(line.Length, 1, Longest);
                Read(line.ToArray());
            }
        }
        catch (InvalidDataException)
        {
            // A line too long.
        }
    }

    private static void Read(byte[] line)
    {
        try
        {
            _ = EtcdWatch.Parse(Member, line);
        }
        catch (Exception e) when (e is JsonException or EtcdFailure)
        {
            // Refused.
        }

        try
        {
            _ = JsonSerializer.Deserialize(line, EtcdMessages.Default.RangeAnswer);
            _ = JsonSerializer.Deserialize(line, EtcdMessages.Default.ErrorAnswer)?.Read();
        }
        catch (JsonException)
        {
            // Refused.
        }
    }

    /// <summary>Gives bytes in pieces of random length.</summary>
    private sealed class Chunks(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, random.Next(1, 200))], cancellationToken);
    }
}
