using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;

namespace Ashlar.Processes;

/// <summary>
/// What a user may do with files, asked of the kernel rather than worked out from permission bits, so that ACLs, read-only
/// mounts and capabilities count too.
/// </summary>
public static class UserAccess
{
    /// <summary>True if the user may enter each folder and execute each file.</summary>
    public static bool MayReach(SystemUser user, params IReadOnlyList<string> paths) => Execute(user, paths).All(answer => answer == 0);

    /// <summary>Answers for each path: 0 if the user may execute (a file) or enter (a folder) it, else the errno.</summary>
    internal static ImmutableArray<int> Execute(SystemUser user, IReadOnlyList<string> paths)
    {
        if (user.Uid == Libc.geteuid())
            return [.. paths.Select(path => Ask(path, Libc.X_OK))];
        var groups = SystemUsers.Groups(user);
        ImmutableArray<int> answers = [];
        // The raw system calls change the credentials of one thread only; it ends at once, so nothing can run on it by mistake.
        var thread = new Thread(() =>
        {
            BecomeForFiles(user, groups);
            answers = [.. paths.Select(path => Ask(path, Libc.X_OK))];
        }, 256 * 1024)
        { IsBackground = true, Name = "access check" };
        thread.Start();
        thread.Join();
        return answers;
    }

    private static unsafe void BecomeForFiles(SystemUser user, uint[] groups)
    {
        fixed (uint* pointer = groups)
            Libc.syscall(Libc.SYS_setgroups, groups.Length, (nint)pointer, 0, 0);
        Libc.syscall(Libc.SYS_setfsgid, (nint)user.Gid, 0, 0, 0);
        Libc.syscall(Libc.SYS_setfsuid, (nint)user.Uid, 0, 0, 0);
    }

    /// <summary>True: this process may write the file, or make files in the folder.</summary>
    public static bool CanWrite(string path) => Ask(path, Libc.W_OK) == 0;

    private static unsafe int Ask(string path, int mode)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(path + '\0'))
        {
            var answer = Libc.syscall(Libc.SYS_faccessat2, Libc.AT_FDCWD, (nint)text, mode, Libc.AT_EACCESS);
            return answer == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }
}
