using Ashlar.Testing;

namespace Ashlar.Http.Tests.Transport.Tls;

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class MemoryIsMeasured
{
    public const string Name = "memory is measured";
}

/// <summary>What handshakes by the thousand leave behind: nothing.</summary>
[Collection(MemoryIsMeasured.Name)]
public sealed class TlsLeakTests
{
    [Fact]
    public Task Handshakes_leak_neither_descriptors_nor_memory() => LeakNothingAsync(500, slack: 8 * 1024 * 1024);

    [Fact]
    [Trait("Length", "Full")]
    public Task Ten_thousand_handshakes_leak_neither_descriptors_nor_memory() => LeakNothingAsync(10_000, slack: 8 * 1024 * 1024);

    private static async Task LeakNothingAsync(int handshakes, long slack)
    {
        await using var rig = await TlsRig.StartAsync();
        await ShakeAsync(rig, 300);
        var descriptors = Descriptors();
        var memory = NativeMemory();
        await ShakeAsync(rig, handshakes);

        Assert.Equal(0, rig.Echo.Open);
        Assert.InRange(Descriptors(), 0, descriptors + 20);
        Assert.InRange(NativeMemory(), 0, memory + slack);
    }

    /// <summary>OpenSSL's own client, a second at a time: with a certificate, and without one, which is refused.</summary>
    private static async Task ShakeAsync(TlsRig rig, int count)
    {
        for (var (done, round) = (0, 0); done < count; round++)
        {
            string[] identity = round % 2 == 1 ? [] : ["-cert", rig.FileOf("client", "machine.crt"), "-key", rig.FileOf("client", "machine.key")];
            _ = await ProgramRun.RunAsync("openssl", ["s_time", "-connect", $"127.0.0.1:{rig.Port}", "-new", "-time", "1", .. identity], timeoutSeconds: 60);
            while (rig.Echo.Open > 0 || rig.Echo.Ended.Count > 0)
            {
                rig.Echo.NextEnd();
                done++;
            }

            while (rig.Echo.Secured.TryTake(out _))
            {
            }
        }
    }

    private static int Descriptors() => Directory.GetFiles("/proc/self/fd").Length;

    // Of everything that is not the garbage collector's.
    private static long NativeMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Environment.WorkingSet - GC.GetGCMemoryInfo().TotalCommittedBytes;
    }
}
