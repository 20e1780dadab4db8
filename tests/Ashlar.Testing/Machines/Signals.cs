using System.Runtime.InteropServices;

namespace Ashlar.Testing.Machines;

/// <summary>Signals to processes.</summary>
public static partial class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Sends one; a process that has ended meanwhile is none to worry about.</summary>
    public static void Send(int pid, int signal) => _ = SendSignal(pid, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);
}
