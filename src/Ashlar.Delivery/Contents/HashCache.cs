namespace Ashlar.Delivery.Contents;

/// <summary>
/// Hashes of files that have not changed since, known again by size, times and inode, so that a second <c>up</c> reads no file.
/// Losing it costs time only; a damaged one is thrown away.
/// </summary>
internal sealed class HashCache
{
    private const int Format = 0x41534801;
    private const int HashLength = 32;

    // A file changed twice within the clock's grain looks unchanged: one this young is read again.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, (FileStatus Status, byte[] Hash)> _known;
    private readonly Dictionary<string, (FileStatus Status, byte[] Hash)> _seen = new(StringComparer.Ordinal);
    private readonly string _path;

    private HashCache(string path, Dictionary<string, (FileStatus, byte[])> known) => (_path, _known) = (path, known);

    /// <summary>Reads the cache; an empty one if there is none or it is damaged.</summary>
    public static HashCache Load(string path)
    {
        var known = new Dictionary<string, (FileStatus, byte[])>(StringComparer.Ordinal);
        try
        {
            using var reader = new BinaryReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16));
            var count = reader.ReadInt32() == Format ? reader.ReadInt32() : 0;
            for (var i = 0; i < count; i++)
            {
                var name = reader.ReadString();
                var status = new FileStatus(
                    FileKind.File, reader.ReadInt32(), reader.ReadInt64(), reader.ReadUInt64(), reader.ReadInt64(), reader.ReadInt64());
                var hash = reader.ReadBytes(HashLength);
                if (hash.Length == HashLength)
                {
                    known[name] = (status, hash);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            // What was read so far holds.
        }

        return new HashCache(path, known);
    }

    /// <summary>The hash of a file's content.</summary>
    public byte[] Get(SourceEntry entry, Func<byte[]> compute)
    {
        var hash = _known.TryGetValue(entry.Path, out var known) && known.Status == entry.Status ? known.Hash : compute();
        _seen[entry.Path] = (entry.Status, hash);
        return hash;
    }

    /// <summary>Writes what this walk has seen. Failing to is no error.</summary>
    public void Save(TimeProvider time)
    {
        var oldest = (time.GetUtcNow() - Settled - DateTimeOffset.UnixEpoch).Ticks * 100;
        var temporary = _path + ".new";
        try
        {
            using (var writer = new BinaryWriter(new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16)))
            {
                var settled = _seen.Where(pair => pair.Value.Status.Modified < oldest && pair.Value.Status.Changed < oldest).ToList();
                writer.Write(Format);
                writer.Write(settled.Count);
                foreach (var (name, (status, hash)) in settled)
                {
                    writer.Write(name);
                    writer.Write(status.Permissions);
                    writer.Write(status.Size);
                    writer.Write(status.Inode);
                    writer.Write(status.Modified);
                    writer.Write(status.Changed);
                    writer.Write(hash);
                }
            }

            File.Move(temporary, _path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Next time every file is read again.
        }
    }
}
