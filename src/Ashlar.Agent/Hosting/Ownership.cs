using System.ComponentModel;
using System.Runtime.InteropServices;
using Ashlar.Processes;

namespace Ashlar.Agent.Hosting;

/// <summary>Who owns files, and whom they are given to.</summary>
public static partial class Ownership
{
    /// <summary>Gives one file or folder to a user; of a link, the link itself.</summary>
    internal static void Give(string path, SystemUser user)
    {
        if (Chown(path, user.Uid, user.Gid) != 0)
        {
            throw new IOException($"Cannot give {path} to {user.Name}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
        }
    }

    /// <summary>Gives a folder with all that is in it to a user, if it is not the user's already. Links are not followed.</summary>
    internal static void GiveAll(string folder, SystemUser user)
    {
        if (OwnerOf(folder) == user.Uid)
        {
            return;
        }

        var all = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", all).Append(folder))
        {
            Give(path, user);
        }
    }

    /// <summary>Gives a folder and the files in it to a user's group; their owner stays.</summary>
    internal static void GiveToGroup(string folder, SystemUser user)
    {
        const uint unchanged = uint.MaxValue;
        foreach (var path in Directory.EnumerateFiles(folder).Prepend(folder))
        {
            if (Chown(path, unchanged, user.Gid) != 0)
            {
                throw new IOException($"Cannot give {path} to the group of {user.Name}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
            }
        }
    }

    /// <summary>User id of the owner of a file or folder; null if it cannot be asked.</summary>
    public static unsafe uint? OwnerOf(string path)
    {
        const int currentFolder = -100;
        const int uidOffset = 20;
        const uint wantUid = 0x8;
        var answer = stackalloc byte[256];
        return StatX(currentFolder, path, 0, wantUid, answer) == 0 ? *(uint*)(answer + uidOffset) : null;
    }

    // struct statx has the same layout on every architecture: stx_uid follows mask, blksize, attributes and nlink.
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatX(int folder, string path, int flags, uint mask, byte* answer);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);
}
