using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Ashlar.Agent.Api;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Agent.Hosting;

/// <summary>
/// The lock that makes an agent the only one of its stack: <c>flock</c> on a file, so the kernel lets go of it with the process.
/// It belongs to the open file and so survives an execve that keeps the descriptor.
/// </summary>
internal sealed partial class AgentLock : IDisposable
{
    private const int LockExclusive = 2;
    private const int LockShared = 1;
    private const int LockNonBlocking = 4;
    private const int OpenFlags = 0x2 | 0x40 | 0x80000; // O_RDWR, O_CREAT, O_CLOEXEC
    private const int Mode = 0x180; // 0600
    private static readonly TimeSpan CommandPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);
    private readonly SafeFileHandle _file;

    private AgentLock(SafeFileHandle file) => _file = file;

    /// <summary>Number of the descriptor, to keep across an execve.</summary>
    public int Descriptor => (int)_file.DangerousGetHandle();

    /// <summary>Takes the lock and writes our pid into the file. A command that has it for a moment is waited for.</summary>
    /// <exception cref="Errors.AshlarException">ASH4002: another agent has it. ASH4004: the file cannot be opened.</exception>
    public static async Task<AgentLock> TakeAsync(string path, string stackFolder)
    {
        var began = Stopwatch.StartNew();
        while (true)
        {
            if (TryTake(path) is { } taken)
            {
                return taken;
            }

            if (IsAnAgents(stackFolder) || began.Elapsed > CommandPatience)
            {
                throw AgentErrors.AlreadyRunning(stackFolder, Holder(path));
            }

            await Task.Delay(Between);
        }
    }

    /// <summary>Takes the lock if nobody has it.</summary>
    /// <exception cref="Errors.AshlarException">ASH4004: the file cannot be opened.</exception>
    public static AgentLock? TryTake(string path)
    {
        var file = Open(path) ?? throw AgentErrors.StateFolderUnusable(
            Path.GetDirectoryName(path)!, Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
        if (Flock((int)file.DangerousGetHandle(), LockExclusive | LockNonBlocking) != 0)
        {
            file.Dispose();
            return null;
        }

        var taken = new AgentLock(file);
        taken.WritePid();
        return taken;
    }

    /// <summary>The lock that the program before the execve held.</summary>
    public static AgentLock Inherit(int descriptor) => new(new SafeFileHandle(descriptor, ownsHandle: true));

    /// <summary>True: an agent has the lock, though it may not answer yet.</summary>
    public static bool IsHeld(string path)
    {
        using var file = File.Exists(path) ? Open(path) : null;
        return file is not null && Flock((int)file.DangerousGetHandle(), LockShared | LockNonBlocking) != 0;
    }

    /// <summary>Pid of the agent that last took the lock; 0: unknown.</summary>
    public static int Holder(string path)
    {
        using var file = Open(path);
        Span<byte> text = stackalloc byte[16];
        var length = file is null ? 0 : RandomAccess.Read(file, text, 0);
        return int.TryParse(text[..length], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0;
    }

    /// <summary>Lets go of it.</summary>
    public void Dispose() => _file.Dispose();

    private static bool IsAnAgents(string stackFolder)
    {
        using var agent = AgentClient.TryConnect(stackFolder);
        return agent is not null;
    }

    private void WritePid()
    {
        var pid = System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        try
        {
            RandomAccess.SetLength(_file, 0);
            RandomAccess.Write(_file, pid, 0);
        }
        catch (IOException)
        {
            // A full disk: the lock holds all the same, the second agent only cannot say whose it is.
        }
    }

    // Not by .NET, which puts a flock of its own on the files that it opens.
    private static SafeFileHandle? Open(string path)
    {
        var descriptor = OpenFile(path, OpenFlags, Mode);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(int descriptor, int operation);
}
