using System.Globalization;
using Microsoft.Win32.SafeHandles;
using System.Runtime.InteropServices;

namespace Ashlar.Agent.Hosting;

/// <summary>
/// The lock that makes an agent the only one of its stack: <c>flock</c> on a file, so the kernel lets go of it with the process.
/// It belongs to the open file and so survives an execve that keeps the descriptor.
/// </summary>
internal sealed partial class AgentLock : IDisposable
{
    private const int LockExclusive = 2;
    private const int LockNonBlocking = 4;
    private readonly SafeFileHandle _file;

    private AgentLock(SafeFileHandle file) => _file = file;

    /// <summary>Number of the descriptor, to keep across an execve.</summary>
    public int Descriptor => (int)_file.DangerousGetHandle();

    /// <summary>Takes the lock and writes our pid into the file.</summary>
    /// <exception cref="Errors.AshlarException">ASH4002: another agent has it. ASH4004: the file cannot be opened.</exception>
    public static AgentLock Take(string path, string stackFolder)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AgentErrors.StateFolderUnusable(Path.GetDirectoryName(path)!, e.Message.TrimEnd('.'));
        }

        // Opened for sharing, so that .NET takes no lock of its own.
        if (Flock((int)file.DangerousGetHandle(), LockExclusive | LockNonBlocking) != 0)
        {
            file.Dispose();
            throw AgentErrors.AlreadyRunning(stackFolder, Holder(path));
        }

        var taken = new AgentLock(file);
        taken.WritePid();
        return taken;
    }

    /// <summary>The lock that the program before the execve held.</summary>
    public static AgentLock Inherit(int descriptor) => new(new SafeFileHandle(descriptor, ownsHandle: true));

    /// <summary>Pid of the agent that last took the lock; 0: unknown.</summary>
    public static int Holder(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream);
            return int.TryParse(reader.ReadToEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Lets go of it.</summary>
    public void Dispose() => _file.Dispose();

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

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int Flock(int descriptor, int operation);
}
