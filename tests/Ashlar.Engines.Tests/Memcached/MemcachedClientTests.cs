using System.Text;

namespace Ashlar.Engines.Memcached;

public sealed class MemcachedClientTests
{
    private const string Stats = "STAT pid 12\r\nSTAT get_hits 7\r\nSTAT get_misses 3\r\nSTAT libevent 2.1.12 stable\r\nEND\r\n";

    [Fact]
    public void Figures_are_read_whole_or_waited_for()
    {
        var bytes = Encoding.ASCII.GetBytes(Stats);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(MemcachedClient.TryReadStats(bytes.AsSpan(0, length), out _, out _));
        }

        Assert.True(MemcachedClient.TryReadStats(bytes, out var stats, out var consumed));
        Assert.Equal(bytes.Length, consumed);
        Assert.Equal(7, MemcachedFigures.Of(stats).Hits);
        Assert.Equal("2.1.12 stable", stats["libevent"]);
    }

    [Fact]
    public void Another_protocol_is_refused()
    {
        Assert.Throws<MemcachedException>(() => MemcachedClient.TryReadVersion("HTTP/1.1 400\r\n"u8, out _, out _));
        Assert.Throws<MemcachedException>(() => MemcachedClient.TryReadStats("ERROR\r\n"u8, out _, out _));
        Assert.Throws<MemcachedException>(() => MemcachedClient.TryReadStats(new byte[MemcachedClient.Largest], out _, out _));
    }

    [Fact]
    public void Mutated_figures_are_read_waited_for_or_refused()
    {
        const int seed = 11;
        var random = new Random(seed);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = Encoding.ASCII.GetBytes(Stats);
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            bytes[random.Next(bytes.Length)] = (byte)" \r\nSTATEND"[random.Next(10)];
            try
            {
                if (MemcachedClient.TryReadStats(bytes, out var stats, out var consumed))
                {
                    _ = MemcachedFigures.Of(stats);
                    Assert.InRange(consumed, 1, bytes.Length);
                }
            }
            catch (MemcachedException)
            {
                // Refused.
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}: {Convert.ToHexString(bytes)}", e);
            }
        }
    }

    [Fact]
    public async Task Memcached_serves_loopback_and_tells_its_figures()
    {
        await using var rig = new EngineRig(EngineRig.Memcached());
        var process = await rig.UpAsync("memcached.1");
        using var client = await MemcachedClient.OpenAsync(Engine.Address, rig.Context.Ports["memcached.1"], CancellationToken.None);
        Assert.Equal(16 << 20, MemcachedFigures.Of(await client.StatsAsync(CancellationToken.None)).MemoryLimit);
        Assert.Contains("-U", await File.ReadAllTextAsync($"/proc/{process.Identity.Pid}/cmdline"), StringComparison.Ordinal);
        await EngineRig.StopAsync(process);
        Assert.False((await EngineRig.AskAsync(rig.Of("memcached.1").Probe!)).Good);
    }

    [Fact]
    public async Task Memcached_that_hangs_is_seen()
    {
        await using var rig = new EngineRig(EngineRig.Memcached());
        var process = await rig.UpAsync("memcached.1");
        process.Signal(19);
        Assert.Contains("no answer", (await EngineRig.AskAsync(rig.Of("memcached.1").Probe!)).Text, StringComparison.Ordinal);
    }
}
