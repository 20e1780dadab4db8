using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Edge.Web;

/// <summary>How a file's content is encoded for a client.</summary>
internal enum FileCoding
{
    Plain,
    Gzip,
    Brotli,
}

/// <summary>A representation of a file: small ones lie in memory, of others the descriptor is held.</summary>
internal sealed class FileVariant
{
    /// <summary>All of it; null: it is read from <see cref="File"/>.</summary>
    public byte[]? Content { get; init; }

    public OpenFile? File { get; init; }

    public required long Length { get; init; }

    /// <summary>Strong entity tag, with its quotes (RFC 9110 section 8.8.3).</summary>
    public required byte[] Tag { get; init; }

    /// <summary>What the head of an answer says of it, but for its length: lines with CRLF.</summary>
    public required byte[] Lines { get; init; }
}

/// <summary>A file as it is served: what is known of it, and its representations.</summary>
internal sealed class StaticFile
{
    /// <summary>Larger ones are read while they are sent.</summary>
    public const int LargestInMemory = 64 * 1024;

    private const int LargestCompressed = 1024 * 1024;
    private const int SmallestCompressed = 256;
    private const long LargestHashed = 16 * 1024 * 1024;

    private StaticFile(FileCalls.Facts facts, FileVariant plain)
    {
        Facts = facts;
        Plain = plain;
    }

    public FileCalls.Facts Facts { get; }

    public FileVariant Plain { get; }

    public FileVariant? Gzip { get; private set; }

    public FileVariant? Brotli { get; private set; }

    /// <summary>When it was last changed, in whole seconds since 1970.</summary>
    public long ModifiedSeconds => Facts.ModifiedSeconds;

    /// <summary>Memory and descriptors that it takes.</summary>
    public (long Bytes, int Files) Cost => new[] { Plain, Gzip, Brotli }.OfType<FileVariant>()
        .Aggregate((0L, 0), (sum, variant) => (sum.Item1 + (variant.Content?.Length ?? 0) + 1024, sum.Item2 + (variant.File is null ? 0 : 1)));

    /// <summary>True: the file has not been changed.</summary>
    public bool Is(in FileCalls.Facts facts) => facts.Inode == Facts.Inode && facts.Size == Facts.Size
        && facts.ModifiedSeconds == Facts.ModifiedSeconds && facts.ModifiedNanoseconds == Facts.ModifiedNanoseconds;

    /// <summary>Opens a file and what is beside it (<c>.br</c>, <c>.gz</c>). Null: there is none. May wait for the disk.</summary>
    public static StaticFile? Open(FileRoot root, ReadOnlySpan<byte> path, bool immutable)
    {
        var fd = root.OpenFile(path, out var facts);
        if (fd < 0)
        {
            return null;
        }

        var type = ContentTypes.Of(path);
        var isCompressible = ContentTypes.IsCompressible(type);
        var plain = Variant(fd, facts, facts, type, FileCoding.Plain, isCompressible, immutable);
        if (plain is null)
        {
            return null;
        }

        var file = new StaticFile(facts, plain);
        if (isCompressible)
        {
            file.Brotli = Sibling(root, path, ".br\0"u8[..3], facts, type, FileCoding.Brotli, immutable);
            file.Gzip = Sibling(root, path, ".gz\0"u8[..3], facts, type, FileCoding.Gzip, immutable) ?? Compress(plain, facts, type, immutable);
        }

        return file;
    }

    /// <summary>The cache lets go of its descriptors.</summary>
    public void Release()
    {
        Plain.File?.Release();
        Gzip?.File?.Release();
        Brotli?.File?.Release();
    }

    private static FileVariant? Sibling(
        FileRoot root, ReadOnlySpan<byte> path, ReadOnlySpan<byte> ending, in FileCalls.Facts of, string type, FileCoding coding, bool immutable)
    {
        byte[] name = [.. path, .. ending];
        var fd = root.OpenFile(name, out var facts);
        if (fd >= 0 && facts.ModifiedSeconds < of.ModifiedSeconds - 60)
        {
            // Left over from an older build.
            FileCalls.Close(fd);
            return null;
        }

        return fd < 0 ? null : Variant(fd, facts, of, type, coding, varies: true, immutable);
    }

    private static FileVariant? Variant(
        int fd, in FileCalls.Facts facts, in FileCalls.Facts of, string type, FileCoding coding, bool varies, bool immutable)
    {
        var length = (long)facts.Size;
        if (length <= LargestInMemory)
        {
            var content = new byte[length];
            var whole = ReadAll(fd, content);
            FileCalls.Close(fd);
            return whole ? Of(content, null, length, Hash(content), of, type, coding, varies, immutable) : null;
        }

        var tag = length <= LargestHashed ? HashOf(fd, length)
            : string.Create(CultureInfo.InvariantCulture, $"{length:x}-{facts.ModifiedSeconds:x}{facts.ModifiedNanoseconds:x8}");
        return Of(null, new OpenFile(fd), length, tag, of, type, coding, varies, immutable);
    }

    private static FileVariant? Compress(FileVariant plain, in FileCalls.Facts facts, string type, bool immutable)
    {
        if (plain.Length is < SmallestCompressed or > LargestCompressed)
        {
            return null;
        }

        var content = plain.Content ?? new byte[plain.Length];
        if (plain.Content is null && !ReadAll(plain.File!.Fd, content))
        {
            return null;
        }

        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return stream.Length > plain.Length * 9 / 10 ? null
            : Of(stream.ToArray(), null, stream.Length, Encoding.ASCII.GetString(plain.Tag).Trim('"') + "-g", facts, type, FileCoding.Gzip, varies: true, immutable);
    }

    private static FileVariant Of(
        byte[]? content, OpenFile? file, long length, string tag, in FileCalls.Facts facts, string type, FileCoding coding, bool varies, bool immutable)
    {
        var modified = DateTimeOffset.FromUnixTimeSeconds(facts.ModifiedSeconds);
        var lines = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"Content-Type: {type}\r\nETag: \"{tag}\"\r\nLast-Modified: {modified:R}\r\n")
            .Append(coding == FileCoding.Plain ? "Accept-Ranges: bytes\r\n" : coding == FileCoding.Gzip ? "Content-Encoding: gzip\r\n" : "Content-Encoding: br\r\n")
            .Append(varies ? "Vary: Accept-Encoding\r\n" : "")
            .Append(immutable ? "Cache-Control: public, max-age=31536000, immutable\r\n" : "");
        return new FileVariant
        {
            Content = content,
            File = file,
            Length = length,
            Tag = Encoding.ASCII.GetBytes($"\"{tag}\""),
            Lines = Encoding.ASCII.GetBytes(lines.ToString()),
        };
    }

    private static bool ReadAll(int fd, Span<byte> content)
    {
        for (var at = 0; at < content.Length;)
        {
            var read = FileCalls.Read(fd, content[at..], at);
            if (read <= 0)
            {
                return false;
            }

            at += read;
        }

        return true;
    }

    // The same content has the same tag on every machine.
    private static string Hash(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 10));

    private static string HashOf(int fd, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        for (var at = 0L; at < length;)
        {
            var read = FileCalls.Read(fd, buffer, at);
            if (read <= 0)
            {
                break;
            }

            hash.AppendData(buffer, 0, read);
            at += read;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 10));
    }
}
