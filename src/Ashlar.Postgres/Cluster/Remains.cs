using System.Diagnostics;
using System.Globalization;

namespace Ashlar.Postgres;

/// <summary>
/// Ends what outlived a server that was killed. PostgreSQL's processes leave the session of their parent, and one in the middle of a
/// long statement notices its death late; until then the next server refuses to start, to protect the data.
/// </summary>
internal static class Remains
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>Ends them: each runs a PostgreSQL program of ours in the data folder, and no server is above it.</summary>
    /// <param name="data">The data folder.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>How many there were.</returns>
    public static async Task<int> EndAsync(string data, CancellationToken cancellation)
    {
        var killed = new HashSet<int>();
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Patience)
        {
            // Until its parent has reaped it, PostgreSQL takes a dead server named in postmaster.pid for a live one.
            var left = Find(data).Concat(killed.Where(pid => Directory.Exists($"/proc/{pid}"))).ToArray();
            if (left.Length == 0)
            {
                break;
            }

            foreach (var pid in left.Where(killed.Add))
            {
                Kill(pid);
            }

            await Task.Delay(Look, cancellation);
        }

        return killed.Count;
    }

    // A server makes its data folder its working folder, and so do all its processes.
    internal static IEnumerable<int> Find(string data)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(process.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && pid != Environment.ProcessId && LinkOf(Path.Combine(process, "cwd")) == data
                && Path.GetFileName(LinkOf(Path.Combine(process, "exe"))?.Replace(" (deleted)", "", StringComparison.Ordinal)) == "postgres")
            {
                yield return pid;
            }
        }
    }

    private static void Kill(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended by itself.
        }
    }

    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
