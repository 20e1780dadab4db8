using System.Buffers.Binary;
using System.Formats.Tar;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using Ashlar.Agent.Machines;

namespace Ashlar.Agent.Tests.Machines;

/// <summary>A release that does not arrive as it was sent is none, and its room is free again; the next try is not hindered by it.</summary>
public sealed class ReleaseCopyTests
{
    /// <summary>What becomes of the pieces (with their lengths) and of the hash of the whole.</summary>
    public enum Damage
    {
        /// <summary>Another hash than that of what came.</summary>
        Hash,

        /// <summary>A bit of a file's content.</summary>
        Content,

        /// <summary>The connection ends in the middle of a file.</summary>
        Cut,

        /// <summary>The end comes early, with the hash of the whole.</summary>
        Short,

        /// <summary>A piece says that it is longer than any may be.</summary>
        Length,

        /// <summary>The connection ends before the hash.</summary>
        NoHash,
    }

    [Theory]
    [InlineData(Damage.Hash)]
    [InlineData(Damage.Content)]
    [InlineData(Damage.Cut)]
    [InlineData(Damage.Short)]
    [InlineData(Damage.Length)]
    [InlineData(Damage.NoHash)]
    public async Task ADamagedCopyIsRefusedAndTheNextTryBringsItWhole(Damage damage)
    {
        await using var rig = new PeerRig();
        var release = Directory.CreateDirectory(Path.Combine(rig.State.Releases, "v1")).FullName;
        File.WriteAllBytes(Path.Combine(release, "large"), RandomNumberGenerator.GetBytes(300_000));
        var there = rig.Folder("there");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var sending = SendAsync(listener, rig, release, damage);
        var from = rig.Record with { PeerPort = ((IPEndPoint)listener.LocalEndpoint).Port };
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => ReleaseTransfer.FetchAsync(rig.Identity, from, there, "v1", null, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.True(failure is IOException, failure.ToString());
        await sending;
        Assert.Empty(Directory.GetFileSystemEntries(there));

        await ReleaseTransfer.FetchAsync(rig.Identity, rig.Record, there, "v1", null, CancellationToken.None);
        Assert.Equal(File.ReadAllBytes(Path.Combine(release, "large")), File.ReadAllBytes(Path.Combine(there, "v1/large")));
    }

    /// <summary>A machine of the stack that sends something else than it has.</summary>
    private static async Task SendAsync(TcpListener listener, PeerRig rig, string release, Damage damage)
    {
        using var socket = await listener.AcceptSocketAsync();
        await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
        await stream.AuthenticateAsServerAsync(rig.Identity.ServerOptions());
        await PeerFrames.ReadPurposeAsync(stream, CancellationToken.None);
        await PeerFrames.WriteAsync(stream, new PeerHello(PeerFrames.Protocol), MachineJson.Default.PeerHello, CancellationToken.None);
        await PeerFrames.ReadAsync(stream, MachineJson.Default.FetchRequest, CancellationToken.None);
        await PeerFrames.WriteAsync(stream, new PeerRefusal(null), MachineJson.Default.PeerRefusal, CancellationToken.None);
        using var packed = new MemoryStream();
        await TarFile.CreateFromDirectoryAsync(release, packed, includeBaseDirectory: true);
        var pieces = packed.ToArray().Chunk(64 << 10).Select(piece => (Length: piece.Length, Bytes: piece)).Append((0, [])).ToArray();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (_, bytes) in pieces)
        {
            hash.AppendData(bytes);
        }

        var sum = hash.GetHashAndReset();
        switch (damage)
        {
            case Damage.Hash: sum[7] ^= 1; break;
            case Damage.Content: pieces[2].Bytes[100] ^= 1; break;
            case Damage.Cut: pieces = pieces[..2]; break;
            case Damage.Short: pieces = [.. pieces[..2], (0, [])]; break;
            case Damage.Length: pieces[1].Length = int.MaxValue; break;
            case Damage.NoHash: sum = []; break;
        }

        try
        {
            foreach (var (length, bytes) in pieces)
            {
                var header = new byte[sizeof(int)];
                BinaryPrimitives.WriteInt32BigEndian(header, length);
                await stream.WriteAsync(header);
                await stream.WriteAsync(bytes);
            }

            await (damage == Damage.Cut ? Task.CompletedTask : stream.WriteAsync(sum).AsTask());
            await stream.ShutdownAsync();
        }
        catch (IOException)
        {
            // Who has seen enough hangs up.
        }
    }
}
