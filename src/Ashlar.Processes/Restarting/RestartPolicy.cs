using System.Globalization;

namespace Ashlar.Processes;

/// <summary>
/// Decides when an instance that ended is started again. It starts nothing itself: tell it what happened, then ask for
/// <see cref="Wait"/>. Times are monotonic, so setting the clock changes nothing.
/// </summary>
/// <remarks>
/// A crash doubles the wait, from the shortest to the longest of the pace, with a little chance added so that instances do not
/// come back in step. 60 healthy seconds clear it. Five crashes within 60 s are a crash loop: from then on it waits the longest. Whoever waits for it to come up can give up after
/// three (<see cref="HopelessFor"/>); the tries go on.
/// An end with exit 0 is no crash.
/// </remarks>
/// <param name="time">Clock.</param>
/// <param name="random">Chance of the waits.</param>
/// <param name="endsByItself">
/// True (a worker): exit 0 is always an end, many recycle themselves. False (it serves a port): exit 0 before it was healthy is a crash.
/// </param>
/// <param name="pace">The waits.</param>
public sealed class RestartPolicy(TimeProvider time, Random random, bool endsByItself, RestartPace pace)
{
    /// <summary>Crashes within <see cref="LoopWindow"/> that make a loop.</summary>
    public const int LoopCrashes = 5;

    /// <summary>Time in which they must fall.</summary>
    public static readonly TimeSpan LoopWindow = TimeSpan.FromSeconds(60);

    /// <summary>Crashes that show that it will not come up, where it was never healthy and each came within <see cref="AtOnce"/> of its start.</summary>
    /// <remarks>Three leave it two more tries: the first may have met a database that was slow to come.</remarks>
    public const int HopelessCrashes = 3;

    /// <summary>Time after a start within which a crash counts for that.</summary>
    public static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(10);

    /// <summary>Healthy time that clears the wait.</summary>
    public static readonly TimeSpan ResetAfter = TimeSpan.FromSeconds(60);

    private readonly Queue<long> _crashes = new();
    private long? _startedAt;
    private long? _healthyAt;
    private long? _nextStart;
    private long? _firstStart;
    private int _inARow;
    private int _atOnce;
    private bool _wasHealthy;

    /// <summary>Crashes since it was first wanted or a person restarted it.</summary>
    public int Crashes { get; private set; }

    /// <summary>Starts again after an end of any kind, since it was first wanted.</summary>
    public int Restarts { get; private set; }

    /// <summary>True: it is in a crash loop, and stays so until it has been healthy or a person restarts it.</summary>
    public bool CrashLoop { get; private set; }

    /// <summary>Since its first start, if it has crashed at once each time and was never healthy; null: it may yet come up.</summary>
    public TimeSpan? HopelessFor { get; private set; }

    /// <summary>True: a person has stopped it; no end of it starts it again.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Time until the next start is due, zero if it is due now; null: no start is due (it runs, or is stopped).</summary>
    public TimeSpan? Wait => Stopped || _nextStart is not { } next
        ? null
        : Max(TimeSpan.Zero, time.GetElapsedTime(time.GetTimestamp(), next));

    /// <summary>It has been started.</summary>
    public void Started()
    {
        if (_startedAt is not null)
            Restarts++;
        _startedAt = time.GetTimestamp();
        _firstStart ??= _startedAt;
        _healthyAt = null;
        _nextStart = null;
    }

    /// <summary>It is healthy (again).</summary>
    public void Healthy()
    {
        _healthyAt ??= time.GetTimestamp();
        _wasHealthy = true;
    }

    /// <summary>It is healthy no more, though it runs.</summary>
    public void Unhealthy() => _healthyAt = null;

    /// <summary>It has ended without having been told to.</summary>
    /// <returns>What that means, for people: <c>exit 1, next start in 4 s</c>.</returns>
    public string Ended(ExitReport exit)
    {
        var now = time.GetTimestamp();
        if (_healthyAt is { } since && time.GetElapsedTime(since, now) >= ResetAfter)
            Clear();
        if (exit.Success && (endsByItself || _healthyAt is not null))
        {
            var left = pace.Shortest - time.GetElapsedTime(_startedAt ?? now, now);
            return StartIn(Max(TimeSpan.Zero, left), $"ended ({exit})");
        }

        Crashes++;
        _inARow++;
        _atOnce = !_wasHealthy && _startedAt is { } started && time.GetElapsedTime(started, now) <= AtOnce ? _atOnce + 1 : 0;
        HopelessFor = _atOnce >= HopelessCrashes ? time.GetElapsedTime(_firstStart!.Value, now) : null;
        _crashes.Enqueue(now);
        while (time.GetElapsedTime(_crashes.Peek(), now) > LoopWindow)
            _crashes.Dequeue();
        CrashLoop |= _crashes.Count >= LoopCrashes;
        if (CrashLoop)
            return StartIn(pace.Longest, $"{exit}, crashed {Crashes} times");
        var doubled = pace.Shortest * Math.Pow(2, Math.Min(_inARow - 1, 10));
        return StartIn(Min(pace.Longest, doubled * (1 + (0.2 * random.NextDouble()))), exit.ToString());
    }

    /// <summary>A person stops it, whatever it is doing: it is not started again, also not after a wait that runs.</summary>
    public void Stop()
    {
        Stopped = true;
        _nextStart = null;
    }

    /// <summary>A person starts or restarts it: at once, with a clean record.</summary>
    public void Restart()
    {
        Stopped = false;
        Crashes = 0;
        (_firstStart, _atOnce, _wasHealthy, HopelessFor) = (null, 0, false, null);
        Clear();
        _nextStart = time.GetTimestamp();
    }

    private string StartIn(TimeSpan wait, string what)
    {
        if (Stopped)
            return what;
        _nextStart = time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency);
        return wait == TimeSpan.Zero
            ? what
            : string.Create(CultureInfo.InvariantCulture, $"{what}, next start in {Math.Ceiling(wait.TotalSeconds):0} s");
    }

    private void Clear()
    {
        _inARow = 0;
        _crashes.Clear();
        CrashLoop = false;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
