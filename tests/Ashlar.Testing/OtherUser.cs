using System.Runtime.InteropServices;

namespace Ashlar.Testing;

/// <summary>Runs code on a thread of its own whose effective user is another one. Only root can.</summary>
public static partial class OtherUser
{
    /// <summary>User id of nobody.</summary>
    public const uint Nobody = 65534;

    private const long SetResUid = 117;

    /// <summary>Only root can.</summary>
    public static bool Possible => Environment.IsPrivilegedProcess;

    /// <summary>Runs it and gives its result.</summary>
    public static Task<T> Run<T>(Func<T> action)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                result.SetResult(AsNobody(action));
            }
            catch (Exception e)
            {
                result.SetException(e);
            }
        })
        { IsBackground = true }.Start();
        return result.Task;
    }

    private static T AsNobody<T>(Func<T> action)
    {
        Become(Nobody);
        try
        {
            return action();
        }
        finally
        {
            // Before the result is told: a thread that the pool starts from here would be nobody's as well.
            Become(0);
        }
    }

    // The bare system call changes this thread alone; glibc's function would change the whole process.
    private static void Become(uint user)
    {
        if (SystemCall(SetResUid, -1, (nint)user, -1) != 0)
        {
            throw new InvalidOperationException("setresuid failed");
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long SystemCall(long number, nint a, nint b, nint c);
}
