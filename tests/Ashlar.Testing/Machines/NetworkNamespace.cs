using System.Globalization;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Ashlar.Testing.Machines;

/// <summary>A named network namespace, entered by single threads of this process: a file that it is mounted on, as <c>ip netns</c> makes them.</summary>
internal static partial class NetworkNamespace
{
    private const int CloseOnExec = 0x80000;
    private const int NewNet = 0x40000000;
    private const int BindMount = 0x1000;
    private const int Detach = 2;

    /// <summary>Where they are: for root where <c>ip netns</c> looks, for others among their own temporary files.</summary>
    public static string Folder { get; } = Environment.IsPrivilegedProcess ? "/run/netns" : Path.Combine(Path.GetTempPath(), "netns");

    /// <summary>The file of one.</summary>
    public static string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Makes one.</summary>
    public static void Make(string name)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllBytes(PathOf(name), []);
        OnThread(() =>
        {
            Check(Unshare(NewNet), "unshare");
            return Check(Mount("/proc/thread-self/ns/net", PathOf(name), "none", BindMount, 0), "mount");
        });
    }

    /// <summary>Takes one away; it ends when nothing is in it any more.</summary>
    public static void Remove(string name)
    {
        _ = Unmount(PathOf(name), Detach); // One that was half made is mounted on nothing.
        File.Delete(PathOf(name));
    }

    /// <summary>Runs code on a thread that is in the namespace. It must call libc alone: threads started from it would be there too.</summary>
    public static T Inside<T>(string name, Func<T> action)
    {
        try
        {
            return OnThread(() =>
            {
                using var handle = File.OpenHandle(PathOf(name));
                Check(SetNamespace(handle, NewNet), "setns");
                return action();
            });
        }
        catch (Exception e)
        {
            throw new IOException($"In namespace {name}: {e.Message}", e);
        }
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

    // What a thread changes of its namespace ends with it.
    private static T OnThread<T>(Func<T> action)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = action();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

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

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int kinds);

    [LibraryImport("libc", EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, nuint flags, nint data);

    [LibraryImport("libc", EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(SafeHandle descriptor, int kind);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int domain, int type, int protocol);
}
