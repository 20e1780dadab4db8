using System.Collections.Immutable;
using System.Text;
using Ashlar.Edge.Web;

namespace Ashlar.Edge.Gateways;

/// <summary>
/// Finds the script that answers a path, for the instances that were started in one folder. Without a root there is but one app,
/// which is told the whole path as PATH_INFO.
/// </summary>
internal sealed class ScriptFolder
{
    // Folders above a script: each is looked at.
    private const int DeepestScript = 16;

    private static readonly byte[] _suffix = ".php"u8.ToArray();
    private readonly FileRoot? _root;
    private readonly bool _hasRoot;
    private readonly byte[] _folder;
    private readonly byte[][] _tries;
    private readonly bool _isCgi;

    private ScriptFolder(byte[] folder, FileRoot? root, bool hasRoot, byte[][] tries, bool isCgi)
    {
        _isCgi = isCgi;
        _folder = folder;
        _root = root;
        _hasRoot = hasRoot;
        _tries = tries;
    }

    /// <param name="folder">Folder that the instances were started in.</param>
    /// <param name="root">Folder below it with the scripts; null: there is one app, and no script is looked for.</param>
    /// <param name="tryFiles">What a path may be; none: the file, the folder's index.php, /index.php.</param>
    /// <param name="isCgi">True: every file is a script, a folder's is index.cgi, and no script stands for all paths unless it is said.</param>
    public static ScriptFolder Open(string folder, string? root, ImmutableArray<string> tryFiles, bool isCgi = false)
    {
        var tries = !tryFiles.IsDefaultOrEmpty ? tryFiles : isCgi ? ["$uri", "$uri/"] : ["$uri", "$uri/", "/index.php"];
        return new ScriptFolder(
            Encoding.UTF8.GetBytes(folder), root is null ? null : FileRoot.Open(Path.Combine(folder, root)), root is not null,
            [.. tries.Select(Encoding.UTF8.GetBytes)], isCgi);
    }

    /// <summary>Finds the script. False: there is none.</summary>
    /// <param name="path">The path as received.</param>
    /// <param name="room">Room for what the script is said to be: four times the path and 4 KiB.</param>
    /// <param name="script">The script.</param>
    public bool Find(ReadOnlySpan<byte> path, Span<byte> room, out Script script)
    {
        script = default;
        var length = UrlPath.Decode(path, room);
        if (length < 0)
        {
            return false;
        }

        var decoded = room[..length];
        room = room[length..];
        if (!_hasRoot)
        {
            script = new Script { Name = default, File = _folder, PathInfo = decoded, Root = _folder };
            return true;
        }

        // A hidden path names no file, but the front controller may answer it.
        var isHidden = FileRoot.HasHidden(decoded);
        return _root is not null
            && ((!isHidden && FindInPath(decoded, room, out script)) || FindByRules(decoded, isHidden, room, out script));
    }

    /// <summary>The first part of the path that ends with .php, or with any name for CGI, and is a file; what follows it is PATH_INFO.</summary>
    private bool FindInPath(ReadOnlySpan<byte> path, Span<byte> room, out Script script)
    {
        if (_isCgi)
        {
            return FindFileInPath(path, room, out script);
        }

        script = default;
        for (var from = 0; path[from..].IndexOf(_suffix) is var at and >= 0;)
        {
            var end = from + at + _suffix.Length;
            if ((end == path.Length || path[end] == '/') && IsScript(path[..end]))
            {
                script = Of(path[..end], path[end..], room);
                return true;
            }

            from = end;
        }

        return false;
    }

    private bool FindFileInPath(ReadOnlySpan<byte> path, Span<byte> room, out Script script)
    {
        script = default;
        for (var (depth, end) = (0, 0); end < path.Length && depth < DeepestScript; depth++)
        {
            var slash = path[(end + 1)..].IndexOf((byte)'/');
            end = slash < 0 ? path.Length : end + 1 + slash;
            switch (_root!.Look(path[..end], out _))
            {
                case FileKind.File:
                    script = Of(path[..end], path[end..], room);
                    return true;
                case FileKind.None:
                    return false;
            }
        }

        return false;
    }

    private bool FindByRules(ReadOnlySpan<byte> path, bool isHidden, Span<byte> room, out Script script)
    {
        script = default;
        foreach (var attempt in _tries)
        {
            if (attempt[0] == '=')
            {
                return false;
            }

            Span<byte> name = room;
            var length = 0;
            if (attempt[0] == '$')
            {
                if (isHidden)
                {
                    continue;
                }

                // /blog and /blog/ have the same index.
                Append(attempt[^1] == '/' && path is [.., (byte)'/'] ? path[..^1] : path, name, ref length);
                Append(attempt.AsSpan(4), name, ref length);
                if (name[length - 1] == '/')
                {
                    Append(_isCgi ? "index.cgi"u8 : "index.php"u8, name, ref length);
                }
            }
            else
            {
                Append(attempt, name, ref length);
            }

            if ((_isCgi || name[..length].EndsWith(_suffix)) && IsScript(name[..length]))
            {
                script = Of(name[..length], default, room[length..]);
                return true;
            }
        }

        return false;
    }

    private bool IsScript(ReadOnlySpan<byte> name) => _root!.Look(name, out _) == FileKind.File;

    private Script Of(ReadOnlySpan<byte> name, ReadOnlySpan<byte> pathInfo, Span<byte> room)
    {
        var length = 0;
        Append(_root!.Path, room, ref length);
        Append(name, room, ref length);
        return new Script { Name = name, File = room[..length], PathInfo = pathInfo, Root = _root.Path };
    }

    private static void Append(ReadOnlySpan<byte> bytes, Span<byte> room, ref int length)
    {
        bytes.CopyTo(room[length..]);
        length += bytes.Length;
    }
}
