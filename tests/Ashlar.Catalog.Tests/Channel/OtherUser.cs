using System.Runtime.InteropServices;

namespace Ashlar.Catalog.Tests.Channel;

/// <summary>Runs code on a thread of its own whose effective user is another one. Only root can.</summary>
internal static partial class OtherUser
{
    public const uint Nobody = 65534;

    private const long SetResUid = 117;

    public static bool Possible => Environment.IsPrivilegedProcess;

    public static Task<T> Run<T>(Func<T> action)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            // The bare system call changes this thread alone; glibc's function would change the whole process.
            if (SystemCall(SetResUid, -1, (nint)Nobody, -1) != 0)
            {
                result.SetException(new InvalidOperationException("setresuid failed"));
                return;
            }

            try
            {
                result.SetResult(action());
            }
            catch (Exception e)
            {
                result.SetException(e);
            }
        }) { IsBackground = true }.Start();
        return result.Task;
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long SystemCall(long number, nint a, nint b, nint c);
}
