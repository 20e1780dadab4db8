using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Ashlar.Catalog;

namespace Ashlar.Edge.Web;

/// <summary>What a path of a <see cref="StaticFolder"/> comes to.</summary>
internal sealed class FileAnswer
{
    public static readonly FileAnswer None = new();

    /// <summary>The file; null: none.</summary>
    public StaticFile? File { get; init; }

    /// <summary>True: it is a folder, and the path needs a slash behind it.</summary>
    public bool IsFolder { get; init; }

    /// <summary>The status that is asked for where there is no file; 0: none, others may answer.</summary>
    public int Status { get; init; }
}

/// <summary>
/// A folder that the edge serves: files by path, as <c>try_files</c> says. What was looked up is remembered and looked at again after a
/// second. Looking up goes to the disk and is not done on a loop. Safe on every thread.
/// </summary>
internal sealed class StaticFolder
{
    // How long an answer is given without a look, and how long it may be given while a look is under way.
    private const long FreshMs = 1000;
    private const long UsableMs = 5000;

    private const long MostBytes = 64 << 20;
    private const int MostFiles = 256;
    private const int MostPaths = 8192;

    private readonly string _folder;
    private readonly bool _immutable;
    private readonly ImmutableArray<string> _links;
    private readonly byte[][] _tries;
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<byte[], Known> _paths = new(PathComparer.Instance);
    private readonly ConcurrentDictionary<byte[], Known>.AlternateLookup<ReadOnlySpan<byte>> _byPath;
    private readonly Dictionary<byte[], StaticFile> _files = new(PathComparer.Instance);
    private FileRoot? _root;
    private long _bytes;
    private int _open;

    /// <param name="folder">Absolute path.</param>
    /// <param name="tryFiles">What a path may be; none: the file, the folder's index.</param>
    /// <param name="immutable">Names carry a hash.</param>
    /// <param name="links">Folders that links may lead into.</param>
    public StaticFolder(string folder, ImmutableArray<string> tryFiles, bool immutable, ImmutableArray<string> links)
    {
        _folder = folder;
        _immutable = immutable;
        _links = links;
        _tries = [.. (tryFiles.IsDefaultOrEmpty ? ["$uri", "$uri/"] : tryFiles).Select(Encoding.UTF8.GetBytes)];
        _byPath = _paths.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>The folder of a service's root; the one before where that has not changed, null where it has none.</summary>
    public static StaticFolder? OfService(CatalogService service, StaticFolder? before)
    {
        // What lies beside scripts of CGI is a script too, or something that one reads: none of it is shown.
        if (service.Root is not { } root || service.Folder.Length == 0 || service.Interface == "cgi")
        {
            return null;
        }

        // Of a service that runs scripts, the path that stands for all others is one of those.
        var folder = System.IO.Path.Combine(service.Folder, root);
        ImmutableArray<string> tries = service.Interface == "fastcgi" ? [.. service.TryFiles.Where(static attempt => attempt[0] == '$')] : service.TryFiles;
        return before?.Is(folder, tries, immutable: false, []) == true ? before : new StaticFolder(folder, tries, immutable: false, []);
    }

    /// <summary>True: it does what another with these settings would.</summary>
    public bool Is(string folder, ImmutableArray<string> tryFiles, bool immutable, ImmutableArray<string> links) =>
        folder == _folder && immutable == _immutable && links.SequenceEqual(_links)
        && (tryFiles.IsDefaultOrEmpty ? ["$uri", "$uri/"] : tryFiles).Select(Encoding.UTF8.GetBytes).SequenceEqual(_tries, PathComparer.Instance);

    /// <summary>What is known of a path; null: it has to be looked up.</summary>
    /// <param name="path">As received, from the slash behind the folder's own prefix.</param>
    /// <param name="now">Milliseconds of the loop's clock.</param>
    /// <param name="mustLook">True: it should be looked up again meanwhile, by who asks now.</param>
    public FileAnswer? Find(ReadOnlySpan<byte> path, long now, out bool mustLook)
    {
        mustLook = false;
        if (!_byPath.TryGetValue(path, out var known) || now - known.At > UsableMs)
        {
            return null;
        }

        if (now - known.At > FreshMs && Interlocked.Exchange(ref known.IsLooking, 1) == 0)
        {
            mustLook = true;
        }

        return known.Answer;
    }

    /// <summary>Looks a path up. May wait for the disk.</summary>
    public FileAnswer Look(byte[] path, long now)
    {
        lock (_gate)
        {
            var answer = Resolve(path);
            if (_paths.Count >= MostPaths || _bytes > MostBytes || _open > MostFiles)
            {
                Forget();
            }

            _paths[path] = new Known(answer, now);
            return answer;
        }
    }

    private FileAnswer Resolve(ReadOnlySpan<byte> path)
    {
        // A folder that the build makes may not have been there before.
        _root ??= FileRoot.Open(_folder, _links.Select(link => Path.GetFullPath(Path.Combine(_folder, link))));
        Span<byte> decoded = stackalloc byte[path.Length];
        var length = UrlPath.Decode(path, decoded);
        var isHidden = length < 0 || FileRoot.HasHidden(decoded[..length]);
        foreach (var attempt in _tries)
        {
            if (attempt[0] == '=')
            {
                return new FileAnswer { Status = int.Parse(attempt.AsSpan(1)) };
            }

            if (attempt[0] == '$' && isHidden)
            {
                continue;
            }

            if (Resolve(decoded[..Math.Max(0, length)], attempt) is { } answer)
            {
                return answer;
            }
        }

        return FileAnswer.None;
    }

    private FileAnswer? Resolve(ReadOnlySpan<byte> path, byte[] attempt)
    {
        // Two slashes are two paths to an app, and so to us.
        if (_root is null || path.IndexOf("//"u8) >= 0)
        {
            return null;
        }

        var isSlashed = path is [.., (byte)'/'];
        if (attempt[0] == '$' && attempt[^1] == '/')
        {
            byte[] folder = isSlashed ? [.. path] : [.. path, (byte)'/'];
            return Open([.. folder, .. "index.html"u8]) is { } index
                ? isSlashed ? new FileAnswer { File = index } : new FileAnswer { IsFolder = true }
                : !isSlashed && _root.Look([.. folder, .. "index.php"u8], out _) == FileKind.File ? new FileAnswer { IsFolder = true } : null;
        }

        byte[] name = attempt[0] == '$' ? [.. path, .. attempt.AsSpan(4)] : attempt;
        return name[^1] != '/' && Open(name) is { } file ? new FileAnswer { File = file } : null;
    }

    private StaticFile? Open(byte[] name)
    {
        // The source of a script is nobody's business.
        if (ScriptSource.Is(name) || _root!.Look(name, out var facts) != FileKind.File)
        {
            return null;
        }

        if (_files.TryGetValue(name, out var known))
        {
            if (known.Is(in facts))
            {
                return known;
            }

            Drop(name, known);
        }

        if (StaticFile.Open(_root, name, _immutable) is not { } file)
        {
            return null;
        }

        _files[name] = file;
        _bytes += file.Cost.Bytes;
        _open += file.Cost.Files;
        return file;
    }

    private void Drop(byte[] name, StaticFile file)
    {
        _files.Remove(name);
        _bytes -= file.Cost.Bytes;
        _open -= file.Cost.Files;
        file.Release();
    }

    // Rarely, and what is asked for often is soon back: the kernel has it in memory.
    private void Forget()
    {
        _paths.Clear();
        foreach (var (name, file) in _files.ToArray())
        {
            Drop(name, file);
        }
    }

    private sealed class Known(FileAnswer answer, long at)
    {
        public int IsLooking;

        public FileAnswer Answer => answer;

        public long At => at;
    }
}

/// <summary>Paths as bytes, found by spans.</summary>
internal sealed class PathComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static PathComparer Instance { get; } = new();

    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    public int GetHashCode(byte[] path) => GetHashCode((ReadOnlySpan<byte>)path);

    public bool Equals(ReadOnlySpan<byte> path, byte[] other) => path.SequenceEqual(other);

    public byte[] Create(ReadOnlySpan<byte> path) => path.ToArray();

    // Seeded at random in every process: clients choose the paths.
    public int GetHashCode(ReadOnlySpan<byte> path)
    {
        var hash = default(HashCode);
        hash.AddBytes(path);
        return hash.ToHashCode();
    }
}
