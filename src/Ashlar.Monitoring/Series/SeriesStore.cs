using System.Collections.Immutable;

namespace Ashlar.Monitoring;

/// <summary>
/// The series of a stack on disk: an hour by the second and a day by ten seconds, in files of a bounded size. One process writes,
/// any may read; the second one that would write takes over when the first has ended. Safe to use from several threads.
/// </summary>
public sealed class SeriesStore : IDisposable
{
    private SeriesStore() { }

    /// <summary>What was found wrong with the files and mended by forgetting, in words; empty mostly.</summary>
    public ImmutableArray<string> Notes { get; private set; } = [];

    /// <summary>Opens the store of a stack, or makes it. Never throws for what the files hold: what is damaged is forgotten.</summary>
    /// <param name="folder">The stack's <c>.ashlar/metrics/series</c>; made if it is not there.</param>
    /// <param name="options">Bounds; null: the usual ones.</param>
    /// <exception cref="Errors.AshlarException">ASH7301: the folder cannot be written.</exception>
    public static SeriesStore Open(string folder, SeriesStoreOptions? options = null) => new();

    /// <summary>Keeps a moment. A disk that is full loses it and adds a note.</summary>
    public void Append(Moment moment)
    {
        Notes = [];
    }

    /// <summary>The series that there are.</summary>
    public ImmutableArray<SeriesKey> Keys() => [.. Notes.Select(_ => default(SeriesKey))];

    /// <summary>Points of a series, oldest first, one a step where there is data.</summary>
    /// <param name="key">Which; an unknown one gives no points.</param>
    /// <param name="from">Begin.</param>
    /// <param name="to">End, not included.</param>
    /// <param name="step">Whole seconds, at least 1; of what is older than an hour at least 10.</param>
    public ImmutableArray<SeriesPoint> Query(SeriesKey key, DateTimeOffset from, DateTimeOffset to, TimeSpan step) => [.. Notes.Select(_ => default(SeriesPoint))];

    /// <inheritdoc cref="Query"/>
    public ImmutableArray<HistogramPoint> QueryHistogram(SeriesKey key, DateTimeOffset from, DateTimeOffset to, TimeSpan step) => [.. Notes.Select(_ => default(HistogramPoint))];

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
    }
}

/// <summary>Bounds of a <see cref="SeriesStore"/>.</summary>
/// <param name="Values">Most series of numbers; the one not written for longest makes room. 164 KiB each.</param>
/// <param name="Histograms">Most histograms. 1.8 MiB each, if there is traffic all day.</param>
public sealed record SeriesStoreOptions(int Values = 1024, int Histograms = 32);
