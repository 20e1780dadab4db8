using Ashlar.Http.Transport;

namespace Ashlar.Edge.Caching.Store;

/// <summary>An exchange that waits for a fill, as the fill sees it: it brings each wake-up to the exchange's own loop, once.</summary>
internal sealed class FillReader
{
    private readonly EventLoop _loop;
    private readonly Action _arrive;
    private Action? _advance;
    private int _posted;

    /// <param name="loop">The exchange's loop.</param>
    /// <param name="advance">Goes on with the exchange; called on its loop.</param>
    public FillReader(EventLoop loop, Action advance)
    {
        _loop = loop;
        _advance = advance;
        _arrive = Arrive;
    }

    /// <summary>From any thread.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _posted, 1) == 0)
        {
            _loop.Post(_arrive);
        }
    }

    /// <summary>The exchange has gone on to something else: what is on its way is for nobody. On its loop.</summary>
    public void Forget() => _advance = null;

    private void Arrive()
    {
        Volatile.Write(ref _posted, 0);
        _advance?.Invoke();
    }
}
