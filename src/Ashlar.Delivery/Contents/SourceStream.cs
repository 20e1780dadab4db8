using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Stack;

namespace Ashlar.Delivery.Contents;

/// <summary>What <see cref="SourceStream"/> takes at most.</summary>
/// <param name="Entries">Files, folders and links.</param>
/// <param name="Bytes">Bytes of all files together.</param>
public sealed record SourceLimits(int Entries = 2_000_000, long Bytes = 64L << 30);

/// <summary>
/// The files that a release of a stack is made of, as a stream from one machine to another: an entry after the other, each with its kind,
/// permissions and path, files in pieces, and at the end the hash of it all. What is read as settings is not among them.
/// </summary>
public static class SourceStream
{
    private const int PieceLength = 64 << 10;
    private const int LongestPath = 4096;
    private const byte End = (byte)'.';
    private const byte Folder = (byte)'d';
    private const byte File = (byte)'f';
    private const byte Link = (byte)'l';
    private const UnixFileMode OwnerAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Looks at all that is to be sent, as <c>up</c> itself does first, and gives what sends it.</summary>
    /// <param name="stack">The stack, from its folder.</param>
    /// <param name="cachePath">File that remembers the hashes of unchanged files.</param>
    /// <param name="time">Clock.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="Errors.AshlarException">ASH5003: something cannot be read.</exception>
    public static Func<Stream, Task> Open(StackDefinition stack, string cachePath, TimeProvider time, CancellationToken cancellation)
    {
        var content = ContentHash.Compute(stack, stack.Directory, cachePath, time, cancellation);
        return to => WriteAsync(content.Folder, content.Entries, to, cancellation);
    }

    /// <summary>Writes what comes into a new folder, which nobody but its owner may enter. What was received of one that is not whole is left there.</summary>
    /// <param name="from">The stream.</param>
    /// <param name="folder">The folder; it is not there.</param>
    /// <param name="limits">What is taken at most.</param>
    /// <param name="patience">How long no byte may come.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="IOException">It does not come whole, or is not what it should be, or cannot be written.</exception>
    public static async Task ReadAsync(Stream from, string folder, SourceLimits limits, TimeSpan patience, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            await new Reader(from, hash, idle, patience).ReadAsync(folder, limits).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"Nothing came for {patience.TotalSeconds:0} s.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static async Task WriteAsync(string root, IReadOnlyList<SourceEntry> entries, Stream to, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var piece = ArrayPool<byte>.Shared.Rent(sizeof(int) + PieceLength);
        async Task Send(ReadOnlyMemory<byte> bytes)
        {
            hash.AppendData(bytes.Span);
            await to.WriteAsync(bytes, cancellation).ConfigureAwait(false);
        }

        try
        {
            foreach (var entry in entries)
            {
                var path = Path.Combine(root, entry.Path);
                switch (entry.Status.Kind)
                {
                    case FileKind.Folder:
                        await Send(Header(Folder, entry)).ConfigureAwait(false);
                        break;
                    case FileKind.Link when new FileInfo(path).LinkTarget is { } target:
                        await Send(Header(Link, entry)).ConfigureAwait(false);
                        await Send(Text(target)).ConfigureAwait(false);
                        break;
                    case FileKind.File when TryOpen(path) is { } file: // What has gone since is passed over, as a release does.
                        await using (file.ConfigureAwait(false))
                        {
                            await Send(Header(File, entry)).ConfigureAwait(false);
                            for (var length = -1; length != 0;)
                            {
                                length = await file.ReadAsync(piece.AsMemory(sizeof(int), PieceLength), cancellation).ConfigureAwait(false);
                                BinaryPrimitives.WriteInt32BigEndian(piece, length);
                                await Send(piece.AsMemory(0, sizeof(int) + length)).ConfigureAwait(false);
                            }
                        }

                        break;
                }
            }

            await Send(new byte[] { End }).ConfigureAwait(false);
            await to.WriteAsync(hash.GetHashAndReset(), cancellation).ConfigureAwait(false);
            await to.FlushAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece, clearArray: true);
        }
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            // It may have become a pipe since the walk, which an open would wait at.
            return FileStatus.Of(path) is { Kind: FileKind.File }
                ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.SequentialScan)
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private static byte[] Header(byte kind, SourceEntry entry)
    {
        var header = new byte[1 + sizeof(ushort)];
        header[0] = kind;
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(1), (ushort)(entry.Status.Permissions & 0x1FF));
        return [.. header, .. Text(entry.Path)];
    }

    private static byte[] Text(string text)
    {
        var bytes = new byte[sizeof(int) + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, bytes.Length - sizeof(int));
        Encoding.UTF8.GetBytes(text, bytes.AsSpan(sizeof(int)));
        return bytes;
    }

    private sealed class Reader(Stream from, IncrementalHash hash, CancellationTokenSource idle, TimeSpan patience)
    {
        private readonly byte[] _piece = new byte[PieceLength];

        public async Task ReadAsync(string target, SourceLimits limits)
        {
            Directory.CreateDirectory(target, OwnerAll);
            var folders = new Dictionary<string, UnixFileMode>(StringComparer.Ordinal);
            var (entries, bytes) = (0, 0L);
            while (true)
            {
                await ExactlyAsync(1).ConfigureAwait(false);
                var kind = _piece[0];
                if (kind == End)
                {
                    break;
                }

                await ExactlyAsync(sizeof(ushort)).ConfigureAwait(false);
                var mode = (UnixFileMode)(BinaryPrimitives.ReadUInt16BigEndian(_piece) & 0x1FF);
                var name = await TextAsync().ConfigureAwait(false);
                if (++entries > limits.Entries)
                {
                    throw new IOException($"There are more than {limits.Entries} entries.");
                }

                RequireWithin(name, folders);
                var path = Path.Combine(target, name);
                switch (kind)
                {
                    case Folder:
                        RequireNew(path);
                        Directory.CreateDirectory(path, OwnerAll);
                        folders.Add(name, mode);
                        break;
                    case Link:
                        var points = await TextAsync().ConfigureAwait(false);
                        RequireNew(path);
                        System.IO.File.CreateSymbolicLink(path, points);
                        break;
                    case File:
                        bytes = await FileAsync(path, mode, bytes, limits.Bytes).ConfigureAwait(false);
                        break;
                    default:
                        throw new IOException($"An entry of the unknown kind {kind}.");
                }
            }

            var counted = hash.GetHashAndReset();
            await ExactlyAsync(counted.Length).ConfigureAwait(false);
            if (!_piece.AsSpan(0, counted.Length).SequenceEqual(counted))
            {
                throw new IOException("What came is not what was sent.");
            }

            // Folders last: one that may not be written could not be filled. Their owner must be able to pass, as in a release.
            foreach (var (name, mode) in folders)
            {
                System.IO.File.SetUnixFileMode(Path.Combine(target, name), mode | OwnerAll);
            }
        }

        private async Task<long> FileAsync(string path, UnixFileMode mode, long before, long most)
        {
            var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            await using (file.ConfigureAwait(false))
            {
                while (true)
                {
                    var length = await LengthAsync(PieceLength).ConfigureAwait(false);
                    if (length == 0)
                    {
                        System.IO.File.SetUnixFileMode(file.SafeFileHandle, mode);
                        return before;
                    }

                    if ((before += length) > most)
                    {
                        throw new IOException($"They are larger than {most} bytes.");
                    }

                    await ExactlyAsync(length).ConfigureAwait(false);
                    await file.WriteAsync(_piece.AsMemory(0, length), idle.Token).ConfigureAwait(false);
                }
            }
        }

        // Nothing lands anywhere but in folders made here, so no link is ever followed.
        private static void RequireWithin(string name, Dictionary<string, UnixFileMode> folders)
        {
            var slash = name.LastIndexOf('/');
            if (name.Contains('\0') || name[(slash + 1)..] is "" or "." or ".." || (slash >= 0 && !folders.ContainsKey(name[..slash])))
            {
                throw new IOException("An entry that lies in no folder of theirs.");
            }
        }

        private static void RequireNew(string path)
        {
            if (FileStatus.Of(path) is not null)
            {
                throw new IOException("An entry that comes twice.");
            }
        }

        private async Task<string> TextAsync()
        {
            var length = await LengthAsync(LongestPath).ConfigureAwait(false);
            await ExactlyAsync(length).ConfigureAwait(false);
            return Encoding.UTF8.GetString(_piece, 0, length);
        }

        private async Task<int> LengthAsync(int most)
        {
            await ExactlyAsync(sizeof(int)).ConfigureAwait(false);
            return BinaryPrimitives.ReadInt32BigEndian(_piece) is var length && length >= 0 && length <= most ? length : throw new IOException($"A piece of {length} bytes.");
        }

        private async Task ExactlyAsync(int length)
        {
            idle.CancelAfter(patience);
            await from.ReadExactlyAsync(_piece.AsMemory(0, length), idle.Token).ConfigureAwait(false);
            hash.AppendData(_piece, 0, length);
        }
    }
}
