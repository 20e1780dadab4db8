using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Ashlar.Engines.Preparing;

/// <summary>
/// Keeps two engines from writing to one folder. Redis itself does not: two that append to one log ruin it. The lock is a <c>flock</c> on
/// the folder whose descriptor stays open across the execve, so the engine holds it, with its children, until the last of them has ended.
/// </summary>
internal static partial class FolderLock
{
    private const int OpenFolder = 0x10000; // O_RDONLY | O_DIRECTORY, and not O_CLOEXEC
    private const int ExclusiveNonBlocking = 2 | 4;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(20);

    /// <summary>Takes it for as long as this process lives, whatever program it becomes. One that is about to end is waited for.</summary>
    /// <exception cref="Errors.AshlarException">ASH7105, ASH7117.</exception>
    public static async Task TakeAsync(EngineOrder order)
    {
        var descriptor = Open(order.Folder, OpenFolder, 0);
        if (descriptor < 0)
        {
            throw EngineErrors.FolderUnusable(order.Tier, order.Folder, Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()), "Check its owner and its mode.");
        }

        for (var waited = Stopwatch.StartNew(); Lock(descriptor, ExclusiveNonBlocking) != 0; await Task.Delay(_look))
        {
            if (waited.Elapsed > _patience)
            {
                throw EngineErrors.FolderInUse(order.Tier, order.Instance, order.Folder, Holder(order.Folder));
            }
        }
    }

    // An engine works in its folder.
    private static int? Holder(string folder)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                if (int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                    && pid != Environment.ProcessId && new FileInfo(Path.Combine(process, "cwd")).LinkTarget == folder)
                {
                    return pid;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is another user's.
            }
        }

        return null;
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Lock(int descriptor, int operation);
}
