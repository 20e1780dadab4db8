using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using System.Threading.Channels;
using Ashlar.Monitoring;

namespace Ashlar.Dashboard.Live;

/// <summary>
/// Puts together what the page shows, each second and whenever the tree changes, and hands it to every open page. A page that does not
/// take it in time gets only the latest.
/// </summary>
internal sealed class LiveFeed : IAsyncDisposable
{
    /// <summary>Pages that may be open at once.</summary>
    public const int MostPages = 64;

    // Figures are means over these, so that they can be read.
    private const int MomentsKept = 60;
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestAge = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan AgentPatience = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan EventPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EventsShown = TimeSpan.FromHours(1);
    private readonly TreeWatch _watch;
    private readonly MetricsCollector _collector;
    private readonly SeriesStore? _series;
    private readonly DashboardOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<string> _say;
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly Lock _lock = new();
    private readonly HashSet<Page> _pages = [];
    private readonly Queue<Moment> _moments = new();
    private readonly Task _running;
    private ImmutableArray<StackEvent> _events = [];
    private DateTimeOffset _eventsRead;
    private volatile LiveFrame _latest = LiveFrame.Empty;

    public LiveFeed(TreeWatch watch, MetricsCollector collector, SeriesStore? series, DashboardOptions options, TimeProvider time, Action<string> say)
    {
        (_watch, _collector, _series, _options, _time, _say) = (watch, collector, series, options, time, say);
        _running = Task.WhenAll(
            Task.Run(() => watch.RunAsync(Changed, _ending.Token)),
            Task.Run(MeasureAsync),
            Task.Run(ShowAsync));
    }

    /// <summary>What is shown now. While no page is open it is put together only when somebody asks.</summary>
    public async Task<LiveFrame> LatestAsync()
    {
        if (_time.GetUtcNow().ToUnixTimeMilliseconds() - _latest.At > LongestAge.TotalMilliseconds)
        {
            await Task.WhenAny(_watch.WantAsync(), Task.Delay(AgentPatience, _time));
            Show();
        }

        return _latest;
    }

    /// <summary>Opens a page's stream; null: too many are open, or the dashboard ends.</summary>
    public Page? TryOpen()
    {
        lock (_lock)
        {
            if (_pages.Count >= MostPages || _ending.IsCancellationRequested)
            {
                return null;
            }

            var page = new Page(this);
            _pages.Add(page);
            _ = _watch.WantAsync();
            Changed();
            return page;
        }
    }

    /// <summary>Writes all metrics as Prometheus reads them.</summary>
    public void WriteMetrics(IBufferWriter<byte> output)
    {
        if (_watch.Last.Report is null)
        {
            _ = _watch.WantAsync();
        }

        lock (_collector)
        {
            PrometheusText.Write(output, _collector.Totals, _watch.Last.Report?.Stack ?? "");
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Page[] open;
        lock (_lock)
        {
            _ending.Cancel();
            open = [.. _pages];
        }

        foreach (var page in open)
        {
            page.End();
        }

        await _running;
        _ending.Dispose();
    }

    private void Changed()
    {
        if (_changed.CurrentCount == 0)
        {
            try
            {
                _changed.Release();
            }
            catch (SemaphoreFullException)
            {
                // Another has just said so.
            }
        }
    }

    private async Task MeasureAsync()
    {
        while (true)
        {
            Moment moment;
            lock (_collector)
            {
                moment = _collector.Collect();
            }

            _series?.Append(moment);
            lock (_moments)
            {
                _moments.Enqueue(moment);
                if (_moments.Count > MomentsKept)
                {
                    _moments.Dequeue();
                }
            }

            Changed();
            await Task.Delay(_collector.UntilNext(), _time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ending.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ShowAsync()
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await _changed.WaitAsync(_ending.Token);
                if (HasPages)
                {
                    // Until it is known how the stack is, there is nothing to show; then it is called again.
                    _ = _watch.WantAsync();
                    if (_watch.IsKnown)
                    {
                        Show();
                    }
                }

                await Task.Delay(ShortestPause, _time, _ending.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // One bad second must not end the page.
                _say($"what the page shows cannot be put together: {e}");
            }
        }
    }

    private bool HasPages
    {
        get
        {
            lock (_lock)
            {
                return _pages.Count > 0;
            }
        }
    }

    private void Show()
    {
        Moment[] moments;
        lock (_moments)
        {
            moments = [.. _moments];
        }

        var now = _time.GetUtcNow();
        if (now - _eventsRead >= EventPause)
        {
            (_events, _eventsRead) = (EventFile.Read(_options.Events, now - EventsShown), now);
        }

        var frame = Diagram.Build(_watch.Last, moments, _events, now, LengthOf);
        Page[] open;
        lock (_lock)
        {
            _latest = frame;
            open = [.. _pages];
        }

        if (open.Length > 0)
        {
            var bytes = Frame(frame);
            foreach (var page in open)
            {
                page.Give(bytes);
            }
        }
    }

    private long LengthOf(string log) => new FileInfo(LogReader.PathOf(_options, log)) is { Exists: true } file ? file.Length : 0;

    private static ReadOnlyMemory<byte> Frame(LiveFrame frame)
    {
        var buffer = new ArrayBufferWriter<byte>(8 * 1024);
        buffer.Write("data: "u8);
        using (var json = new Utf8JsonWriter(buffer))
        {
            JsonSerializer.Serialize(json, frame, PageJson.Default.LiveFrame);
        }

        buffer.Write("\n\n"u8);
        return buffer.WrittenMemory;
    }

    private void Close(Page page)
    {
        lock (_lock)
        {
            _pages.Remove(page);
        }
    }

    /// <summary>An open page: gets the latest frame whenever it is ready for one.</summary>
    internal sealed class Page(LiveFeed feed) : IDisposable
    {
        private static readonly ReadOnlyMemory<byte> Sign = ": here\n\n"u8.ToArray();

        private readonly Channel<ReadOnlyMemory<byte>> _frames = Channel.CreateBounded<ReadOnlyMemory<byte>>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

        public void Give(ReadOnlyMemory<byte> frame) => _frames.Writer.TryWrite(frame);

        public void End() => _frames.Writer.TryComplete();

        /// <summary>The next frame, or a sign of life if there is none for a while; null: the stream is over.</summary>
        public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(TimeSpan beat, CancellationToken cancellation)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(beat);
            try
            {
                return await _frames.Reader.ReadAsync(patience.Token);
            }
            catch (ChannelClosedException)
            {
                return null;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                return Sign;
            }
        }

        public void Dispose()
        {
            End();
            feed.Close(this);
        }
    }
}
