using System.Collections.Immutable;

namespace Ashlar.Monitoring;

/// <summary>
/// The series of a stack on disk: an hour by the second and a day by ten seconds, in files of a bounded size. One process writes,
/// any may read; the second one that would write takes over when the first has ended. Safe to use from several threads.
/// </summary>
public sealed class SeriesStore : IDisposable
{
    private const int SecondsToBeIdle = 60;
    private const int SaveUseEvery = 600;
    private const int MostNotes = 20;
    private const long LastTime = 253_402_300_799;
    private readonly Lock _gate = new();
    private readonly SeriesFiles _files;
    private readonly SeriesIndex _index;
    private readonly SeriesBlocks _blocks;
    private DateTime _indexRead;

    private SeriesStore(string folder, SeriesStoreOptions options)
    {
        _files = SeriesFiles.Open(folder);
        _index = new SeriesIndex(_files.Index, options.Values, options.Histograms);
        _blocks = new SeriesBlocks(_files);
        Load();
    }

    /// <summary>What was found wrong with the files and mended by forgetting, or could not be kept, in words; empty mostly.</summary>
    public ImmutableArray<string> Notes { get; private set; } = [];

    /// <summary>Opens the store of a stack, or makes it. Never throws for what the files hold: what is damaged is forgotten.</summary>
    /// <param name="folder">The stack's <c>.ashlar/metrics/series</c>; made if it is not there.</param>
    /// <param name="options">Bounds; null: the usual ones. With others than before, the series begin anew.</param>
    /// <exception cref="Errors.AshlarException">ASH7301: the folder cannot be written.</exception>
    public static SeriesStore Open(string folder, SeriesStoreOptions? options = null) => new(folder, options ?? new SeriesStoreOptions());

    /// <summary>Keeps a moment, if no other process writes. What a full disk cannot take is lost, with a note.</summary>
    public void Append(Moment moment)
    {
        lock (_gate)
        {
            try
            {
                if (moment.Span > TimeSpan.Zero && Writes())
                {
                    Keep(moment);
                }
            }
            catch (IOException e)
            {
                NoteUnwritten(e);
            }
        }
    }

    /// <summary>The series that there are.</summary>
    public ImmutableArray<SeriesKey> Keys()
    {
        lock (_gate)
        {
            Refresh();
            return [.. _index.All.Select(entry => entry.Key)];
        }
    }

    /// <summary>Points of a series, oldest first, one a step where there is data.</summary>
    /// <param name="key">Which; an unknown one gives no points.</param>
    /// <param name="from">Begin.</param>
    /// <param name="to">End, not included.</param>
    /// <param name="step">Whole seconds, at least 1; if some of it is older than an hour, at least 10.</param>
    public ImmutableArray<SeriesPoint> Query(SeriesKey key, DateTimeOffset from, DateTimeOffset to, TimeSpan step)
    {
        lock (_gate)
        {
            Refresh();
            if (_index.Find(key, isHistogram: false) is not { } entry)
            {
                return [];
            }

            Flush(entry);
            return [.. Read(entry, from, to, step, _blocks.Values).Select(points => new SeriesPoint(
                points.At, points.All.Min(p => p.Min), points.All.Average(p => p.Average), points.All.Max(p => p.Max)))];
        }
    }

    /// <summary>A histogram by steps, oldest first.</summary>
    /// <inheritdoc cref="Query"/>
    public ImmutableArray<HistogramPoint> QueryHistogram(SeriesKey key, DateTimeOffset from, DateTimeOffset to, TimeSpan step)
    {
        lock (_gate)
        {
            Refresh();
            return _index.Find(key, isHistogram: true) is not { } entry ? [] : [.. Read(entry, from, to, step, _blocks.Histograms).Select(found => new HistogramPoint(
                found.At, found.All.Aggregate((a, b) => a.Plus(b))))];
        }
    }

    /// <summary>Writes what is not yet written, and closes the files.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_files.Values.IsClosed)
            {
                foreach (var entry in _index.All)
                {
                    Flush(entry);
                }
            }

            _files.Dispose();
        }
    }

    private static List<(DateTimeOffset At, List<T> All)> Read<T>(
        SeriesEntry entry, DateTimeOffset from, DateTimeOffset to, TimeSpan step, Func<SeriesEntry, long, long, bool, List<(long Time, T Value)>> read)
    {
        var (begin, end) = (Math.Max(0, from.ToUnixTimeSeconds()), Math.Min(LastTime, to.ToUnixTimeSeconds()));
        var seconds = Math.Clamp((long)step.TotalSeconds, 1, 24 * SeriesBlocks.Hour);
        var newest = entry.Last is { } last && last < end ? last + 1 : end;
        var hour = newest - SeriesBlocks.Hour + 1;
        if (begin < hour)
        {
            seconds = Math.Max(seconds, 10);
            hour += (seconds - (hour % seconds)) % seconds;
        }

        begin -= begin % seconds;
        var values = begin >= hour ? read(entry, begin, end, false) : [.. read(entry, begin, Math.Min(hour, end), true), .. read(entry, hour, end, false)];
        List<(DateTimeOffset, List<T>)> steps = [];
        var current = -1L;
        foreach (var (time, value) in values)
        {
            if (time - (time % seconds) != current)
            {
                current = time - (time % seconds);
                steps.Add((DateTimeOffset.FromUnixTimeSeconds(current), []));
            }

            steps[^1].Item2.Add(value);
        }

        return steps;
    }

    private void Keep(Moment moment)
    {
        var time = moment.At.ToUnixTimeSeconds();
        foreach (var sample in moment.Samples)
        {
            foreach (var (metric, value, always) in SampleSeries.Values(sample))
            {
                if (float.IsFinite((float)value) && Entry(new SeriesKey(sample.Service, sample.Instance, metric), isHistogram: false, time, add: always || value != 0) is { } entry)
                {
                    _blocks.Write(entry, time, value);
                    Used(entry, time);
                }
            }

            foreach (var (metric, histogram) in SampleSeries.Histograms(sample))
            {
                if (Entry(new SeriesKey(sample.Service, sample.Instance, metric), isHistogram: true, time, add: true) is { } entry)
                {
                    _blocks.Write(entry, time, histogram);
                    Used(entry, time);
                }
            }
        }
    }

    private void Flush(SeriesEntry entry)
    {
        try
        {
            _blocks.Flush(entry);
        }
        catch (IOException e)
        {
            NoteUnwritten(e);
        }
    }

    private SeriesEntry? Entry(SeriesKey key, bool isHistogram, long time, bool add)
    {
        if (_index.Find(key, isHistogram) is { } entry || !add)
        {
            return _index.Find(key, isHistogram);
        }

        entry = _index.Add(key, isHistogram, time, SecondsToBeIdle);
        if (entry is null)
        {
            Note("There are more series than room for them; some are not kept.");
        }

        return entry;
    }

    private void Used(SeriesEntry entry, long time)
    {
        entry.Used = time;
        if (Math.Abs(time - entry.Saved) > SaveUseEvery)
        {
            _index.Write(entry);
        }
    }

    private bool Writes()
    {
        if (_files.IsWriter)
        {
            return true;
        }

        if (!_files.TakeLock())
        {
            return false;
        }

        Load();
        _index.Begin();
        return true;
    }

    // Who does not write sees what the writer has added or given away.
    private void Refresh()
    {
        if (!_files.IsWriter && _files.IndexWritten != _indexRead)
        {
            Load();
        }
    }

    private void Load()
    {
        _indexRead = _files.IndexWritten;
        _index.Load(out var note);
        if (note is not null)
        {
            Note(note);
        }
    }

    private void NoteUnwritten(IOException e) => Note($"The series cannot be written: {e.Message}");

    private void Note(string note)
    {
        if (Notes.Length < MostNotes && !Notes.Contains(note))
        {
            Notes = Notes.Add(note);
        }
    }
}

/// <summary>Bounds of a <see cref="SeriesStore"/>.</summary>
/// <param name="Values">Most series of numbers, 164 KiB each; when all are taken, the one not written for longest makes room.</param>
/// <param name="Histograms">Most histograms, 1.8 MiB each where there is traffic all day.</param>
public sealed record SeriesStoreOptions(int Values = 512, int Histograms = 32)
{
    /// <summary>Bytes that the files take at most.</summary>
    public long MostBytes => SeriesIndex.HeaderBytes + ((Values + Histograms) * 256L) + (Values * SeriesBlocks.ValueBytes) + (Histograms * SeriesBlocks.HistogramBytes);
}
