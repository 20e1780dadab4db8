using Ashlar.Jobs.Queue;

namespace Ashlar.Jobs.Runner;

/// <summary>A queue with what of it is in hand here. Guarded by the dispatcher's gate.</summary>
internal sealed class Lane(QueueSettings settings, QueueState state)
{
    // More at once would only lie here; a claim of few costs as much as one of many.
    private const int MostAhead = 500;
    private const int MostBytesAhead = 32 << 20;
    private long _bytes = 1;
    private long _jobs = 1;

    public QueueSettings Settings { get; } = settings;

    public QueueState State { get; set; } = state;

    /// <summary>Claimed and not begun.</summary>
    public Queue<Job> Ahead { get; } = new();

    /// <summary>Being done here.</summary>
    public int Running { get; set; }

    /// <summary>Accepted by workers that complete them later.</summary>
    public HashSet<long> Accepted { get; } = [];

    /// <summary>True: one more may begin.</summary>
    public bool HasRoom => Running + Accepted.Count < Settings.Concurrency;

    /// <summary>How many to claim now; 0: none.</summary>
    public int Wanted()
    {
        if (State.Paused)
        {
            return 0;
        }

        // A lease runs from the claim on, so nothing is claimed ahead.
        if (Settings.Lease is not null)
        {
            return Math.Max(0, Math.Min(MostAhead, Settings.Concurrency - Running - Accepted.Count - Ahead.Count));
        }

        var ahead = Math.Clamp(Settings.Concurrency, 1, MostAhead);
        var fits = (int)Math.Clamp(MostBytesAhead / Math.Max(1, _bytes / _jobs), 1, MostAhead);
        return Ahead.Count > ahead / 2 ? 0 : Math.Min(fits, Math.Max(1, ahead + Settings.Concurrency - Running - Ahead.Count));
    }

    /// <summary>Forgets those claimed and not begun of which the database knows nothing: they are claimed again.</summary>
    public void ForgetLostClaims()
    {
        Job[] known = [.. Ahead.Where(Knows)];
        Ahead.Clear();
        foreach (var job in known)
        {
            Ahead.Enqueue(job);
        }
    }

    /// <summary>True: the database knows that it is claimed.</summary>
    public bool Knows(Job job) => job.Place is not { } place || State.Open.ContainsKey(place.Number);

    /// <summary>Takes claimed jobs.</summary>
    public void Add(Job job)
    {
        Ahead.Enqueue(job);
        _bytes = (_bytes * 15 / 16) + job.Payload.Length;
        _jobs = Math.Max(1, (_jobs * 15 / 16) + 1);
    }
}
