namespace Ashlar.Monitoring;

/// <summary>
/// The metrics files of a folder, each read against what it held before. A file of a process that has ended is read once more, for
/// what it counted last, and then left alone.
/// </summary>
internal sealed class MetricsFolder(string folder)
{
    private const int MostFiles = 1000;
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);

    /// <summary>Reads all files.</summary>
    /// <param name="since">The time of the pass before, or null in the first: what was counted before that is of no second that we know.</param>
    /// <param name="problems">Gets what could not be read.</param>
    public List<Reading> Read(DateTimeOffset? since, List<string> problems)
    {
        List<Reading> readings = [];
        var paths = Paths(problems);
        foreach (var path in paths)
        {
            if (Read(path, since, problems) is { } reading)
            {
                readings.Add(reading);
            }
        }

        foreach (var known in _known.Keys)
        {
            if (!paths.Contains(known))
            {
                _known.Remove(known);
            }
        }

        return readings;
    }

    private HashSet<string> Paths(List<string> problems)
    {
        try
        {
            return Directory.EnumerateFiles(folder, "*.metrics").Take(MostFiles).ToHashSet(StringComparer.Ordinal);
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(e.Message);
            return [];
        }
    }

    private Reading? Read(string path, DateTimeOffset? since, List<string> problems)
    {
        var known = _known.GetValueOrDefault(path);
        var written = known is { Alive: true } ? DateTime.MinValue : File.GetLastWriteTimeUtc(path);
        if (known is { Finished: true } && known.Written == written)
        {
            return null;
        }

        if (!MetricsReader.TryRead(path, known?.Last, out var snapshot, out var problem))
        {
            if (File.Exists(path))
            {
                problems.Add($"{path}: {problem}");
            }

            return null;
        }

        // The pid may be used again, and an agent that becomes another program keeps its own: the file is another one then.
        var before = known?.Last is { } last && last.Created == snapshot.Created ? last : null;
        var alive = snapshot.IsWriterAlive;
        _known[path] = new Known(snapshot, Finished: !alive && known is not { Alive: true }, alive, written);
        var began = before is null && since is { } pass && snapshot.Created >= pass.AddSeconds(-1);
        return new Reading(snapshot, before, alive, CountsAsNew: before is not null || began);
    }

    private sealed record Known(MetricsSnapshot Last, bool Finished, bool Alive, DateTime Written);
}

/// <summary>A file as it is, and as it was.</summary>
/// <param name="Now">What it holds.</param>
/// <param name="Before">What it held in the pass before; null: it is new.</param>
/// <param name="Alive">Its process runs: its gauges mean something.</param>
/// <param name="CountsAsNew">True: what it counted beyond <paramref name="Before"/> happened since the pass before.</param>
internal sealed record Reading(MetricsSnapshot Now, MetricsSnapshot? Before, bool Alive, bool CountsAsNew);
