using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Ashlar.Testing.Machines;

/// <summary>A named network namespace, entered by single threads of this process.</summary>
internal static partial class NetworkNamespace
{
    /// <summary>Where <c>ip netns</c> keeps them.</summary>
    public const string Folder = "/run/netns";

    private const int CloseOnExec = 0x80000;
    private const int NewNet = 0x40000000;

    /// <summary>Runs code on a thread that is in the namespace. It must call libc alone: threads started from it would be there too.</summary>
    public static T Inside<T>(string name, Func<T> action)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var handle = File.OpenHandle(Path.Combine(Folder, name));
                Check(SetNamespace(handle, NewNet), "setns");
                result = action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new IOException($"In namespace {name}: {failure.Message}", failure);
    }

    /// <summary>A socket of the namespace, to be used from any thread.</summary>
    public static Socket OpenSocket(string name, AddressFamily family, SocketType type, ProtocolType protocol)
    {
        var descriptor = Inside(name, () => Check(OpenSocket((int)(family == AddressFamily.InterNetworkV6 ? (AddressFamily)10 : family), (int)type | CloseOnExec, (int)protocol), "socket"));
        return new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
    }

    /// <summary>All processes that are in it.</summary>
    public static IReadOnlyList<int> Processes(string name)
    {
        var identity = Inside(name, () => new FileInfo("/proc/thread-self/ns/net").LinkTarget);
        return [.. Directory.EnumerateDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && pid != Environment.ProcessId && Of(pid) == identity)];
    }

    /// <summary>The same, of a namespace that may be half made: a file that no namespace is mounted on.</summary>
    public static IReadOnlyList<int> ProcessesIfAny(string name)
    {
        try
        {
            return Processes(name);
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>The result of a system call, or its error.</summary>
    public static int Check(int result, string call) =>
        result >= 0 ? result : throw new IOException($"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    private static string? Of(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/ns/net").LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // ended meanwhile
        }
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeHandle descriptor, int kind);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);
}
