using System.Security.Authentication;
using System.Security.Cryptography;

namespace Ashlar.Http.Tests.Transport.Tls;

/// <summary>Records that somebody has changed on the way: the connection breaks, and no changed byte arrives.</summary>
public sealed class TlsFuzzTests
{
    [Fact]
    public Task Changed_records_break_the_connection_and_nothing_else() => FuzzAsync(seed: 4711, connections: 60);

    [Fact]
    [Trait("Length", "Full")]
    public Task Changed_records_break_the_connection_and_nothing_else_long() => FuzzAsync(seed: 815, connections: 2000);

    private static async Task FuzzAsync(int seed, int connections)
    {
        await using var rig = await TlsRig.StartAsync();
        var broken = 0;
        var sent = RandomNumberGenerator.GetBytes(20_000);
        await Parallel.ForEachAsync(Enumerable.Range(seed, connections), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (own, _) =>
        {
            if (!await PassesAsync(rig, sent, own))
            {
                Interlocked.Increment(ref broken);
            }
        });

        Assert.InRange(broken, 1, connections - 1);
        await using var after = await rig.ConnectAsync();
        await after.WriteAsync("x"u8.ToArray());
        Assert.Equal('x', after.ReadByte());
    }

    private static async Task<bool> PassesAsync(TlsRig rig, byte[] sent, int seed)
    {
        var random = new Random(seed);
        var oneIn = 1 << random.Next(8, 18);
        await using var proxy = new ByteProxy(rig.Port, () => Next(1, 5000), value => Next(0, oneIn) == 0 ? (byte)Next(0, 256) : value);
        try
        {
            await using var client = await rig.ConnectAsync(port: proxy.Port, patience: TimeSpan.FromSeconds(5));
            await client.WriteAsync(sent);
            var received = new byte[sent.Length];
            await client.ReadExactlyAsync(received).AsTask().WaitAsync(TimeSpan.FromSeconds(5));
            Assert.True(sent.AsSpan().SequenceEqual(received), $"seed {seed}: changed bytes arrived");
            return true;
        }
        catch (Exception e) when (e is IOException or AuthenticationException or TimeoutException or InvalidOperationException)
        {
            return false;
        }

        int Next(int from, int to)
        {
            lock (random)
            {
                return random.Next(from, to);
            }
        }
    }
}
