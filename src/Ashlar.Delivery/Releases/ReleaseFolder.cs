using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Ashlar.Delivery.Contents;
using Ashlar.Errors;
using Ashlar.Processes;

namespace Ashlar.Delivery.Releases;

/// <summary>Makes and removes the folders of releases.</summary>
internal static class ReleaseFolder
{
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const UnixFileMode OwnerAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string TrashPrefix = ".trash-";

    /// <summary>The folder that holds the folders of all releases of a stack.</summary>
    /// <param name="stateFolder">The stack's <c>.ashlar</c> folder.</param>
    public static string AllOf(string stateFolder) => Path.Combine(stateFolder, "releases");

    /// <summary>Numbers of the releases whose folders are there.</summary>
    /// <param name="stateFolder">The stack's <c>.ashlar</c> folder.</param>
    public static List<int> NumbersIn(string stateFolder) => !Directory.Exists(AllOf(stateFolder)) ? [] :
    [
        .. from folder in Directory.EnumerateDirectories(AllOf(stateFolder), "v*")
           select int.TryParse(Path.GetFileName(folder.AsSpan())[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0 into number
           where number > 0
           select number,
    ];

    /// <summary>
    /// Copies the entries into a new folder, with modes and links, and gives them to the user. A file that vanishes or changes meanwhile
    /// is taken as it is found: its hash was taken before, so the next <c>up</c> sees the difference.
    /// </summary>
    /// <param name="source">The stack's folder.</param>
    /// <param name="entries">What to copy.</param>
    /// <param name="target">The new folder; its parent exists.</param>
    /// <param name="release">Name of the release, for errors.</param>
    /// <param name="owner">User the copy is given to; null: ours.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="AshlarException">ASH5003, ASH5004, ASH5005. The folder may be left half made.</exception>
    public static void Copy(
        string source, IReadOnlyList<SourceEntry> entries, string target, string release, SystemUser? owner, CancellationToken cancellation)
    {
        Make(target, release, owner);
        foreach (var entry in entries)
        {
            cancellation.ThrowIfCancellationRequested();
            var from = Path.Combine(source, entry.Path);
            var to = Path.Combine(target, entry.Path);
            Writing(from, target, release, () => CopyEntry(entry, from, to, owner));
        }

        // Folders last, the inner ones first: one that may not be written could not be filled.
        foreach (var folder in entries.Where(entry => entry.Status.Kind == FileKind.Folder).Reverse())
        {
            var mode = (UnixFileMode)(folder.Status.Permissions & 0x1FF) | OwnerAll;
            Writing(folder.Path, target, release, () => File.SetUnixFileMode(Path.Combine(target, folder.Path), mode));
        }
    }

    /// <summary>Makes a folder that only its owner can enter.</summary>
    /// <exception cref="AshlarException">ASH5004, ASH5005.</exception>
    public static void Make(string folder, string release, SystemUser? owner) => Writing(folder, folder, release, () =>
    {
        Directory.CreateDirectory(folder, OwnerAll);
        Give(folder, owner);
    });

    /// <summary>Removes a release's folder, if it is there, in a way that a crash leaves either all of it or only rubbish.</summary>
    public static void Remove(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        var rubbish = Path.Combine(Path.GetDirectoryName(folder)!, $"{TrashPrefix}{Path.GetFileName(folder)}-{Guid.NewGuid():N}");
        Directory.Move(folder, rubbish);
        Delete(rubbish);
    }

    /// <summary>Removes a release's folder if that can be done now.</summary>
    public static void TryRemove(string folder)
    {
        try
        {
            Remove(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be removed now is tried again when the agent starts; no release stands on it.
        }
    }

    /// <summary>Deletes what removals that were broken off have left.</summary>
    public static void RemoveRubbish(string releases)
    {
        if (Directory.Exists(releases))
        {
            foreach (var rubbish in Directory.GetDirectories(releases, TrashPrefix + "*"))
            {
                Delete(rubbish);
            }
        }
    }

    private static void CopyEntry(SourceEntry entry, string from, string to, SystemUser? owner)
    {
        switch (entry.Status.Kind)
        {
            case FileKind.Folder:
                Directory.CreateDirectory(to, OwnerAll);
                break;
            case FileKind.Link:
                if (new FileInfo(from).LinkTarget is not { } link)
                {
                    return;
                }

                File.CreateSymbolicLink(to, link);
                break;
            default:
                // It may have become a pipe since the walk, which an open would wait at.
                if (FileStatus.Of(from) is not { Kind: FileKind.File })
                {
                    return;
                }

                try
                {
                    File.Copy(from, to);
                }
                catch (FileNotFoundException)
                {
                    return;
                }

                break;
        }

        Give(to, owner);
    }

    private static void Writing(string path, string target, string release, Action action)
    {
        try
        {
            action();
        }
        catch (IOException e) when (e.HResult is NoSpace or QuotaExceeded)
        {
            throw DeliveryErrors.DiskFull(release, target, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw path == target || !IsUnreadable(path)
                ? DeliveryErrors.FolderUnusable(target, e.Message.TrimEnd('.'), e)
                : DeliveryErrors.FileUnreadable(path, "permission denied", e);
        }
    }

    private static bool IsUnreadable(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static unsafe void Give(string path, SystemUser? owner)
    {
        if (owner is null)
        {
            return;
        }

        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            if (LChown(name, owner.Uid, owner.Gid) != 0)
            {
                var error = Marshal.GetLastPInvokeError();
                throw new IOException($"Cannot give {path} to {owner.Name}: {Marshal.GetPInvokeErrorMessage(error)}.", error);
            }
        }
    }

    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Builds leave folders that may not be written (module caches); opened, they go.
            var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
            File.SetUnixFileMode(folder, OwnerAll);
            foreach (var inner in Directory.EnumerateDirectories(folder, "*", options))
            {
                File.SetUnixFileMode(inner, OwnerAll);
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    [DllImport("libc", EntryPoint = "lchown", SetLastError = true)]
    private static extern unsafe int LChown(byte* path, uint user, uint group);
}
