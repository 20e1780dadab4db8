using System.Collections.Concurrent;
using Ashlar.Processes;

namespace Ashlar.Logs;

/// <summary>Follows all logs of a folder together, those of instances yet to come among them.</summary>
internal sealed class LogFollower(LogFolder folder, Func<string, bool> wanted, TimeProvider time)
{
    private const int Remainder = 1_000_000;
    private static readonly TimeSpan Discovery = TimeSpan.FromMilliseconds(200);

    // Offset behind the last line that was handed out, by log.
    private readonly ConcurrentDictionary<string, long> _seen = new(StringComparer.Ordinal);
    private readonly Lock _showing = new();

    /// <summary>The last lines of each log, in the order in which they were written.</summary>
    /// <param name="count">How many of each; null: all since <paramref name="since"/>.</param>
    /// <param name="since">Only what was written then or later; null: whatever was.</param>
    /// <param name="looked">A time until which an agent is known to have noted what was written; null: none.</param>
    public IEnumerable<InstanceLine> Last(int? count, DateTimeOffset? since, DateTimeOffset? looked) =>
        LogMerge.ByTime([.. folder.Names().Where(wanted).OrderBy(folder.LastWrite).Select(name => Last(name, count, since, looked))]);

    private IEnumerable<InstanceLine> Last(string name, int? count, DateTimeOffset? since, DateTimeOffset? looked)
    {
        var history = new LogHistory(folder.FileOf(name), looked);
        _seen[name] = LogTail.End(folder.FileOf(name));
        if (since is { } time && history.Since(time) is { } noted)
        {
            foreach (var line in count is { } most ? noted.TakeLast(most) : noted)
            {
                _seen[name] = line.End;
                yield return new InstanceLine(name, line.Text, line.Time);
            }

            yield break;
        }

        var lines = history.Last(count ?? Remainder);
        if (!lines.IsEmpty) _seen[name] = lines[^1].End;
        var shown = lines.Select(line => new InstanceLine(name, line.Text, line.Time ?? LineTime.Of(line.Text))).ToList();
        foreach (var line in LineTime.Complete(shown, since, folder.LastWrite(name))) yield return line;
    }

    /// <summary>Leaves out what is there already.</summary>
    public void SkipToEnd()
    {
        foreach (var name in folder.Names().Where(wanted)) _seen[name] = LogTail.End(folder.FileOf(name));
    }

    /// <summary>Hands out every new line, one at a time, until cancelled; what had been written by then is handed out too.</summary>
    public async Task FollowAsync(Action<string, string> show, CancellationToken cancellation)
    {
        var following = new Dictionary<string, Task>(StringComparer.Ordinal);
        while (!cancellation.IsCancellationRequested)
        {
            foreach (var name in folder.Names().Where(name => wanted(name) && !following.ContainsKey(name)))
            {
                following[name] = FollowAsync(name, show, cancellation);
            }

            await Task.Delay(Discovery, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (following.Values.FirstOrDefault(task => task.IsFaulted) is { } failed) await failed;
        }

        await Task.WhenAll(following.Values);
        foreach (var name in folder.Names().Where(wanted))
        {
            var seen = _seen.GetValueOrDefault(name);
            foreach (var line in LogTail.Last(folder.FileOf(name), Remainder).Where(line => line.End > seen)) show(name, line.Text);
        }
    }

    private async Task FollowAsync(string name, Action<string, string> show, CancellationToken cancellation)
    {
        try
        {
            await foreach (var line in new LogTail(folder.FileOf(name), time).FollowAsync(_seen.GetValueOrDefault(name), cancellation))
            {
                lock (_showing) show(name, line.Text);
                _seen[name] = line.End;
            }
        }
        catch (OperationCanceledException)
        {
            // the view ends
        }
    }
}
