namespace Ashlar.Logs;

/// <summary>Follows all logs of a folder together, those of instances yet to come among them.</summary>
internal sealed class LogFollower(LogFolder folder, Func<string, bool> wanted, TimeProvider time)
{
    // A file says nothing when it grows; ten looks a second at some files cost less than a watch on each.
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly Dictionary<string, LogFile> _files = [];

    /// <summary>The last lines of each log.</summary>
    public IEnumerable<(string Instance, IReadOnlyList<string> Lines)> Last(int count)
    {
        foreach (var name in folder.Names().Where(wanted).OrderBy(folder.LastWrite).ToList())
        {
            var file = _files[name] = new LogFile(folder.FileOf(name));
            yield return (name, file.Last(count));
        }
    }

    /// <summary>Leaves out what is there already.</summary>
    public void SkipToEnd()
    {
        foreach (var name in folder.Names().Where(wanted))
        {
            var file = _files[name] = new LogFile(folder.FileOf(name));
            file.SkipToEnd();
        }
    }

    /// <summary>The lines written since the last look.</summary>
    public IEnumerable<(string Instance, string Line)> ReadNew()
    {
        foreach (var name in folder.Names().Where(wanted))
        {
            if (!_files.TryGetValue(name, out var file)) file = _files[name] = new LogFile(folder.FileOf(name));
            foreach (var line in file.ReadNew()) yield return (name, line);
        }
    }

    /// <summary>Hands out every new line until cancelled; what had been written by then is handed out too.</summary>
    public async Task FollowAsync(Action<string, string> show, CancellationToken cancellation)
    {
        while (true)
        {
            var last = cancellation.IsCancellationRequested;
            foreach (var (instance, line) in ReadNew()) show(instance, line);
            if (last) return;
            await Task.Delay(Interval, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
