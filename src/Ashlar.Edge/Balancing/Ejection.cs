namespace Ashlar.Edge.Balancing;

/// <summary>
/// Passive health of one instance. A refused connection, or three connections in a row that fail otherwise, leave it out for
/// a second, doubling up to 30 s while it keeps failing; then one request tries it, and an answer brings it back.
/// </summary>
internal sealed class Ejection(TimeProvider time)
{
    public const int FailuresInARow = 3;
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private long _until;
    private int _failures;
    private int _times;
    private int _trial;

    /// <summary>True: it is left out, or its trial is due or under way.</summary>
    public bool IsOut => Volatile.Read(ref _until) != 0;

    /// <summary>Time stamp at which the trial is due; 0: it is not out.</summary>
    public long Until => Volatile.Read(ref _until);

    /// <summary>True: it is out and its trial can be taken now.</summary>
    public bool IsTrialDue =>
        Volatile.Read(ref _until) is var until and not 0 && Volatile.Read(ref _trial) == 0 && time.GetTimestamp() >= until;

    /// <summary>Takes the trial if it is due and no other request has it.</summary>
    public bool TryTakeTrial() => IsTrialDue && Interlocked.CompareExchange(ref _trial, 1, 0) == 0;

    /// <summary>The trial ended without a verdict; the next request may try.</summary>
    public void TrialEnded() => Volatile.Write(ref _trial, 0);

    /// <summary>It answered. True if that brought it back.</summary>
    public bool Succeeded()
    {
        if (Volatile.Read(ref _failures) == 0 && !IsOut)
        {
            return false;
        }

        lock (_gate)
        {
            var wasOut = IsOut;
            _failures = 0;
            _times = 0;
            Volatile.Write(ref _until, 0);
            TrialEnded();
            return wasOut;
        }
    }

    /// <summary>A connection to it failed.</summary>
    /// <param name="refused">Nothing listens: out at once.</param>
    /// <param name="alone">No other instance takes its place: out for the shortest time only.</param>
    /// <returns>How long it is left out from now; null if this changed nothing.</returns>
    public TimeSpan? Failed(bool refused, bool alone)
    {
        lock (_gate)
        {
            // Requests that were under way when it was ejected say nothing new.
            if (IsOut && time.GetTimestamp() < _until)
            {
                return null;
            }

            if (!IsOut && !refused && ++_failures < FailuresInARow)
            {
                return null;
            }

            var span = alone ? Shortest : TimeSpan.FromTicks(Math.Min(Longest.Ticks, Shortest.Ticks << Math.Min(_times, 5)));
            _times++;
            _failures = 0;
            Volatile.Write(ref _until, Math.Max(1, time.GetTimestamp() + (long)(span.TotalSeconds * time.TimestampFrequency)));
            TrialEnded();
            return span;
        }
    }
}
