using System.Text;

namespace Ashlar.Edge.Web;

/// <summary>What lies at a path of a <see cref="FileRoot"/>.</summary>
internal enum FileKind
{
    /// <summary>Nothing that may be served.</summary>
    None,

    /// <summary>A regular file.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,
}

/// <summary>
/// A folder out of which files are served, and nothing else: what a path leads to is opened without reading it, and counts only if
/// the kernel says that it lies in this folder or in one that links may lead to. There is no moment between look and use.
/// </summary>
internal sealed class FileRoot
{
    private const int LongestPath = 4000;
    private readonly byte[][] _allowed;

    private FileRoot(byte[] path, byte[][] allowed)
    {
        Path = path;
        _allowed = allowed;
    }

    /// <summary>Its real path, without a slash behind it.</summary>
    public byte[] Path { get; }

    /// <summary>The folder; null: there is none.</summary>
    /// <param name="folder">Absolute path.</param>
    /// <param name="links">Folders that links may lead into, absolute; those that do not exist are left out.</param>
    public static FileRoot? Open(string folder, IEnumerable<string>? links = null) =>
        RealPath(folder) is not { } path ? null : new FileRoot(path, [path, .. (links ?? []).Select(RealPath).OfType<byte[]>()]);

    /// <summary>What lies at a path.</summary>
    /// <param name="path">Decoded, beginning with a slash; no segment is <c>..</c>.</param>
    /// <param name="facts">What is known of it, unless the result is <see cref="FileKind.None"/>.</param>
    public FileKind Look(ReadOnlySpan<byte> path, out FileCalls.Facts facts)
    {
        var kind = Look(path, out facts, out var fd);
        if (fd >= 0)
        {
            FileCalls.Close(fd);
        }

        return kind;
    }

    /// <summary>Opens a regular file for reading; -1: there is none.</summary>
    public int OpenFile(ReadOnlySpan<byte> path, out FileCalls.Facts facts)
    {
        if (Look(path, out facts, out var fd) != FileKind.File)
        {
            if (fd >= 0)
            {
                FileCalls.Close(fd);
            }

            return -1;
        }

        Span<byte> link = stackalloc byte[32];
        LinkOf(fd, link);
        var opened = FileCalls.Open(link, FileCalls.ReadOnly | FileCalls.NonBlocking);
        FileCalls.Close(fd);
        return opened;
    }

    private FileKind Look(ReadOnlySpan<byte> path, out FileCalls.Facts facts, out int fd)
    {
        facts = default;
        fd = -1;
        if (path.Length > LongestPath || path.Contains((byte)0))
        {
            return FileKind.None;
        }

        Span<byte> full = stackalloc byte[Path.Length + path.Length + 1];
        Path.CopyTo(full);
        path.CopyTo(full[Path.Length..]);
        full[^1] = 0;
        fd = FileCalls.Open(full, FileCalls.PathOnly);
        if (fd < 0 || !IsAllowed(fd) || !FileCalls.Stat(fd, out facts))
        {
            return FileKind.None;
        }

        return facts.IsFile ? FileKind.File : facts.IsFolder ? FileKind.Folder : FileKind.None;
    }

    private bool IsAllowed(int fd)
    {
        Span<byte> link = stackalloc byte[32];
        Span<byte> real = stackalloc byte[LongestPath * 2];
        LinkOf(fd, link);
        var length = FileCalls.ReadLink(link, real);
        foreach (var allowed in _allowed)
        {
            var rest = real[..length];
            if (rest.StartsWith(allowed) && (rest.Length == allowed.Length || rest[allowed.Length] == '/') && !HasHidden(rest[allowed.Length..]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>True if a segment begins with a dot: <c>.git</c>, <c>.env</c>. Only <c>.well-known</c> (RFC 8615) is for the public.</summary>
    public static bool HasHidden(ReadOnlySpan<byte> path)
    {
        while (path.IndexOf("/."u8) is var at and >= 0)
        {
            path = path[(at + 1)..];
            if (!path.StartsWith(".well-known"u8) || (path.Length > 11 && path[11] != '/'))
            {
                return true;
            }
        }

        return false;
    }

    private static void LinkOf(int fd, Span<byte> link)
    {
        "/proc/self/fd/"u8.CopyTo(link);
        fd.TryFormat(link[14..], out var length);
        link[14 + length] = 0;
    }

    private static byte[]? RealPath(string folder)
    {
        var fd = FileCalls.Open(Encoding.UTF8.GetBytes(folder + "\0"), FileCalls.PathOnly);
        if (fd < 0)
        {
            return null;
        }

        Span<byte> link = stackalloc byte[32];
        Span<byte> real = stackalloc byte[LongestPath];
        LinkOf(fd, link);
        var length = FileCalls.ReadLink(link, real);
        var isFolder = FileCalls.Stat(fd, out var facts) && facts.IsFolder;
        FileCalls.Close(fd);
        return isFolder && length > 1 ? real[..length].ToArray() : null;
    }
}
