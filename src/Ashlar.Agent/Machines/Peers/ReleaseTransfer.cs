using System.Buffers.Binary;
using System.Formats.Tar;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Ashlar.Agent.Hosting;
using Ashlar.Delivery;
using Ashlar.Errors;
using Ashlar.Fleet.Identity;
using Ashlar.Processes;

namespace Ashlar.Agent.Machines;

/// <summary>Copies the files of a release from one machine to another: a tar in pieces, with the hash of the whole at its end.</summary>
internal static class ReleaseTransfer
{
    private const int PieceLength = 64 << 10;
    private const string Unfinished = ".coming-";
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    /// <summary>Sends what the other side asks for.</summary>
    public static async Task SendAsync(Stream stream, string releases, CancellationToken cancellation)
    {
        var wanted = await PeerFrames.ReadAsync(stream, MachineJson.Default.FetchRequest, cancellation);
        var folder = Path.Combine(releases, wanted.Folder);
        if (wanted.Folder.Length == 0 || wanted.Folder != Path.GetFileName(wanted.Folder) || wanted.Folder.StartsWith('.') || !Directory.Exists(folder))
        {
            await PeerFrames.WriteAsync(stream, new PeerRefusal(AgentErrors.ReleaseLost(wanted.Folder).Error), MachineJson.Default.PeerRefusal, cancellation);
            return;
        }

        await PeerFrames.WriteAsync(stream, new PeerRefusal(null), MachineJson.Default.PeerRefusal, cancellation);
        var pipe = new Pipe();
        var packing = PackAsync(folder, pipe.Writer, cancellation);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var piece = new byte[sizeof(int) + PieceLength];
        await using var packed = pipe.Reader.AsStream();
        for (var length = -1; length != 0;)
        {
            length = await packed.ReadAsync(piece.AsMemory(sizeof(int)), cancellation);
            BinaryPrimitives.WriteInt32BigEndian(piece, length);
            hash.AppendData(piece, sizeof(int), length);
            await stream.WriteAsync(piece.AsMemory(0, sizeof(int) + length), cancellation);
        }

        await packing;
        await stream.WriteAsync(hash.GetHashAndReset(), cancellation);
    }

    /// <summary>Gets a release from another machine; it is there whole, or not at all.</summary>
    /// <exception cref="AshlarException">ASH4021: that machine does not have it; ASH5004: the disk here is full; ASH7503.</exception>
    /// <exception cref="IOException">It did not arrive whole.</exception>
    public static async Task FetchAsync(MachineIdentity identity, MachineRecord from, string releases, string folder, SystemUser? user, CancellationToken cancellation)
    {
        await using var stream = await PeerClient.CallAsync(identity, from, PeerFrames.Fetch, cancellation);
        await PeerFrames.WriteAsync(stream, new FetchRequest(folder), MachineJson.Default.FetchRequest, cancellation);
        if ((await PeerFrames.ReadAsync(stream, MachineJson.Default.PeerRefusal, cancellation)).Error is { } refused)
        {
            throw new AshlarException(refused);
        }

        var coming = Path.Combine(releases, Unfinished + folder);
        if (Directory.Exists(coming))
        {
            Directory.Delete(coming, recursive: true);
        }

        try
        {
            Directory.CreateDirectory(coming, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await ReceiveAsync(stream, from, coming, folder, cancellation);
            if (user is not null)
            {
                Ownership.GiveAll(coming, user);
            }

            Directory.Move(Path.Combine(coming, folder), Path.Combine(releases, folder));
        }
        catch (IOException e) when (IsFull(e))
        {
            throw DeliveryErrors.DiskFull(folder, releases, e);
        }
        finally
        {
            if (Directory.Exists(coming))
            {
                Directory.Delete(coming, recursive: true); // Also half of one: it would keep the room that there is too little of.
            }
        }
    }

    private static async Task ReceiveAsync(Stream stream, MachineRecord from, string coming, string folder, CancellationToken cancellation)
    {
        var pipe = new Pipe();
        var unpacking = UnpackAsync(pipe.Reader, coming, cancellation);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await Task.WhenAll(ReceiveAsync(stream, pipe.Writer, hash, cancellation), unpacking);
        var sent = new byte[SHA256.HashSizeInBytes];
        await stream.ReadExactlyAsync(sent, cancellation);
        if (!sent.AsSpan().SequenceEqual(hash.GetHashAndReset()))
        {
            throw new IOException($"{folder} of {from.Name} did not arrive as it was sent.");
        }
    }

    // Where room is wanted beforehand, .NET tells of its lack in words alone.
    private static bool IsFull(IOException e) => e.HResult is NoSpace or QuotaExceeded || e.Message.Contains("disk was full", StringComparison.Ordinal);

    private static async Task PackAsync(string folder, PipeWriter writer, CancellationToken cancellation)
    {
        Exception? fault = null;
        try
        {
            // With the folder itself: a tar of nothing is none.
            await TarFile.CreateFromDirectoryAsync(folder, writer.AsStream(leaveOpen: true), includeBaseDirectory: true, cancellation);
        }
        catch (Exception e)
        {
            fault = e;
            throw;
        }
        finally
        {
            await writer.CompleteAsync(fault);
        }
    }

    private static async Task UnpackAsync(PipeReader reader, string folder, CancellationToken cancellation)
    {
        var packed = reader.AsStream();
        await using (packed.ConfigureAwait(false))
        {
            await TarFile.ExtractToDirectoryAsync(packed, folder, overwriteFiles: false, cancellation);
            await packed.CopyToAsync(Stream.Null, cancellation); // A tar may be padded behind its end.
        }
    }

    /// <summary>Passes the pieces on, to the empty one.</summary>
    private static async Task ReceiveAsync(Stream stream, PipeWriter writer, IncrementalHash hash, CancellationToken cancellation)
    {
        Exception? fault = null;
        try
        {
            var header = new byte[sizeof(int)];
            var taken = true;
            while (true)
            {
                await stream.ReadExactlyAsync(header, cancellation);
                var length = BinaryPrimitives.ReadInt32BigEndian(header);
                if (length is < 0 or > PieceLength)
                {
                    throw new IOException($"A piece of {length} bytes.");
                }

                if (length == 0 || !taken)
                {
                    return; // Whoever unpacks has stopped: it says why.
                }

                var piece = writer.GetMemory(length)[..length];
                await stream.ReadExactlyAsync(piece, cancellation);
                hash.AppendData(piece.Span);
                writer.Advance(length);
                taken = !(await writer.FlushAsync(cancellation)).IsCompleted;
            }
        }
        catch (Exception e)
        {
            fault = e;
            throw;
        }
        finally
        {
            await writer.CompleteAsync(fault);
        }
    }
}
