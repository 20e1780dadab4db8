namespace Ashlar.Output;

/// <summary>
/// Shows that something is going on: each step on a line of its own and, once a second has passed, what is being done
/// and for how long (a spinner on a terminal, elsewhere a line each half minute). Written to standard error.
/// </summary>
internal sealed class Progress : IDisposable
{
    private const string Frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
    private readonly LiveLine _line;
    private readonly Screen _screen;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly bool _silent;
    private long _begun;
    private long _lastSaid;
    private string _step;
    private int _frame;

    /// <summary>Begins; <paramref name="what"/> stands beside the spinner until the first step.</summary>
    public Progress(Screen screen, TimeProvider time, string what, bool silent = false)
    {
        (_screen, _time, _step, _silent) = (screen, time, what, silent);
        _line = new LiveLine(screen);
        _begun = _lastSaid = time.GetTimestamp();
        var period = screen.Animated ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromSeconds(1);
        _timer = time.CreateTimer(_ => Tick(), null, TimeSpan.FromSeconds(1), period);
    }

    /// <summary>Says a step.</summary>
    public void Step(string text)
    {
        if (_silent) return;
        lock (_lock)
        {
            _step = text;
            _begun = _lastSaid = _time.GetTimestamp();
            _line.Status("");
            _line.Line(_screen.Paint("·", Ink.Dim) + " " + text);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _timer.Dispose();
        lock (_lock) _line.Dispose();
    }

    private void Tick()
    {
        if (_silent) return;
        lock (_lock)
        {
            var elapsed = _time.GetElapsedTime(_begun);
            if (_screen.Animated)
            {
                _line.Status($"{Frames[_frame++ % Frames.Length]} {_step} {Units.Duration(elapsed)}", Ink.Dim);
            }
            else if (_time.GetElapsedTime(_lastSaid) >= TimeSpan.FromSeconds(30))
            {
                _lastSaid = _time.GetTimestamp();
                _line.Line($"  still at it after {Units.Duration(elapsed)}: {_step}");
            }
        }
    }
}
