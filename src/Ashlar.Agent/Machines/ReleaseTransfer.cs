using System.Formats.Tar;
using System.Security.Cryptography;
using Ashlar.Agent.Hosting;
using Ashlar.Errors;
using Ashlar.Fleet.Identity;
using Ashlar.Processes;

namespace Ashlar.Agent.Machines;

/// <summary>Copies the files of a release from one machine to another: a tar in pieces, with the hash of the whole at its end.</summary>
internal static class ReleaseTransfer
{
    private const int PieceLength = 64 << 10;
    private const string Unfinished = ".coming-";

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
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using (var pieces = new PieceStream(stream, hash))
        {
            // With the folder itself: a tar of nothing is none.
            await TarFile.CreateFromDirectoryAsync(folder, pieces, includeBaseDirectory: true, cancellation);
            await pieces.FlushAsync(cancellation);
        }

        await stream.WriteAsync(new byte[sizeof(int)], cancellation);
        await stream.WriteAsync(hash.GetHashAndReset(), cancellation);
    }

    /// <summary>Gets a release from another machine; it is there whole, or not at all.</summary>
    /// <exception cref="AshlarException">ASH4014: that machine does not have it; ASH7503.</exception>
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

        Directory.CreateDirectory(coming, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using (var pieces = new PieceReader(stream, hash))
        {
            await TarFile.ExtractToDirectoryAsync(pieces, coming, overwriteFiles: false, cancellation);
            await pieces.SkipAsync(cancellation);
        }

        var sent = new byte[SHA256.HashSizeInBytes];
        await stream.ReadExactlyAsync(sent, cancellation);
        if (!sent.AsSpan().SequenceEqual(hash.GetHashAndReset()))
        {
            Directory.Delete(coming, recursive: true);
            throw new IOException($"{folder} of {from.Name} did not arrive as it was sent.");
        }

        if (user is not null)
        {
            Ownership.GiveAll(coming, user);
        }

        Directory.Move(Path.Combine(coming, folder), Path.Combine(releases, folder));
        Directory.Delete(coming);
    }

    /// <summary>What is written goes out in pieces, each with its length before it.</summary>
    private sealed class PieceStream(Stream inner, IncrementalHash hash) : WriteOnlyStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (!buffer.IsEmpty)
            {
                var piece = buffer[..Math.Min(buffer.Length, PieceLength)];
                hash.AppendData(piece.Span);
                var frame = new byte[sizeof(int) + piece.Length];
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame, piece.Length);
                piece.CopyTo(frame.AsMemory(sizeof(int)));
                await inner.WriteAsync(frame, cancellationToken);
                buffer = buffer[piece.Length..];
            }
        }
    }

    /// <summary>Reads the pieces as one stream, to the empty one.</summary>
    private sealed class PieceReader(Stream inner, IncrementalHash hash) : ReadOnlyStream
    {
        private int _left;
        private bool _ended;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0 && !_ended)
            {
                var header = new byte[sizeof(int)];
                await inner.ReadExactlyAsync(header, cancellationToken);
                _left = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(header);
                _ended = _left == 0;
                if (_left is < 0 or > PieceLength)
                {
                    throw new IOException($"A piece of {_left} bytes.");
                }
            }

            if (_ended || buffer.IsEmpty)
            {
                return 0;
            }

            var got = await inner.ReadAsync(buffer[..Math.Min(buffer.Length, _left)], cancellationToken);
            if (got == 0)
            {
                throw new EndOfStreamException("The other machine went away.");
            }

            hash.AppendData(buffer.Span[..got]);
            _left -= got;
            return got;
        }

        // A tar may be padded behind its end.
        public async Task SkipAsync(CancellationToken cancellation)
        {
            var rest = new byte[PieceLength];
            while (await ReadAsync(rest, cancellation) > 0)
            {
            }
        }
    }
}
