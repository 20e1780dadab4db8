using System.ComponentModel;
using System.Diagnostics;

namespace Ashlar.Agent.Api;

/// <summary>What the kernel says of the agent's process, where the agent itself says nothing.</summary>
internal static class AgentProcess
{
    /// <summary>Time since a process was started; zero if there is none.</summary>
    public static TimeSpan AgeOf(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return DateTime.Now - process.StartTime;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return TimeSpan.Zero;
        }
    }

    /// <summary>True: a signal or a debugger holds it; it does nothing until it is let go on.</summary>
    public static bool IsStopped(int pid) => StateOf(pid) is 'T' or 't';

    /// <summary>True: it runs. One that has ended and only waits for its parent does not.</summary>
    public static bool IsRunning(int pid) => StateOf(pid) is not (null or 'Z' or 'X');

    private static char? StateOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
