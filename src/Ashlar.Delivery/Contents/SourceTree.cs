using System.IO.Enumeration;

namespace Ashlar.Delivery.Contents;

/// <summary>One thing of a stack's folder that belongs into a release.</summary>
/// <param name="Path">Relative, with <c>/</c>.</param>
/// <param name="Status">What lstat said.</param>
internal sealed record SourceEntry(string Path, FileStatus Status);

/// <summary>
/// Walks a stack's folder. Links are never followed; sockets, pipes and devices are left out and never opened; what vanishes
/// meanwhile is passed over.
/// </summary>
internal static class SourceTree
{
    /// <summary>All entries in the order of their paths' characters, folders before what is in them.</summary>
    /// <param name="root">The stack's folder.</param>
    /// <param name="builds">True: <c>bin</c> and <c>obj</c> beside a .NET project are left out, since a build makes them again.</param>
    /// <param name="cancellation">Stops the walk.</param>
    /// <exception cref="Errors.AshlarException">ASH5003: a folder cannot be read.</exception>
    public static List<SourceEntry> Walk(string root, bool builds, CancellationToken cancellation = default)
    {
        var rules = IgnoreRules.Of(root);
        var entries = new List<SourceEntry>();
        var open = new Stack<string>();
        open.Push("");
        while (open.TryPop(out var folder))
        {
            cancellation.ThrowIfCancellationRequested();
            var names = Names(root, folder);
            var skipOutput = builds && names.Exists(IsProject);
            foreach (var name in names)
            {
                var path = folder.Length == 0 ? name : $"{folder}/{name}";
                if (Status(root, path) is not { } status)
                {
                    continue;
                }

                var isFolder = status.Kind == FileKind.Folder;
                if (status.Kind == FileKind.Other || rules.Ignores(path, isFolder) || (skipOutput && isFolder && name is "bin" or "obj"))
                {
                    continue;
                }

                entries.Add(new SourceEntry(path, status));
                if (isFolder)
                {
                    open.Push(path);
                }
            }
        }

        entries.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return entries;
    }

    private static List<string> Names(string root, string folder)
    {
        var path = Path.Combine(root, folder);
        try
        {
            var options = new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false, ReturnSpecialDirectories = false };
            return [.. new FileSystemEnumerable<string>(path, (ref FileSystemEntry entry) => entry.FileName.ToString(), options)];
        }
        catch (DirectoryNotFoundException) when (folder.Length > 0)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DeliveryErrors.FileUnreadable(path, e is UnauthorizedAccessException ? "permission denied" : e.Message.TrimEnd('.'), e);
        }
    }

    private static FileStatus? Status(string root, string path)
    {
        // A name that is not UTF-8 cannot be said again by .NET, and guessing would drop the file in silence.
        if (path.Contains('\uFFFD') && FileStatus.Of(Path.Combine(root, path)) is null)
        {
            throw DeliveryErrors.FileUnreadable(Path.Combine(root, path), "its name is not UTF-8");
        }

        try
        {
            return FileStatus.Of(Path.Combine(root, path));
        }
        catch (IOException e)
        {
            throw DeliveryErrors.FileUnreadable(Path.Combine(root, path), e.Message.TrimEnd('.'), e);
        }
    }

    private static bool IsProject(string name) =>
        name.EndsWith(".csproj", StringComparison.Ordinal)
        || name.EndsWith(".fsproj", StringComparison.Ordinal)
        || name.EndsWith(".vbproj", StringComparison.Ordinal);
}
