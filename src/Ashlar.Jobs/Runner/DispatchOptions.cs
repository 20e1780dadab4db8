namespace Ashlar.Jobs.Runner;

/// <summary>How the dispatcher does its work; tests have other numbers.</summary>
internal sealed record DispatchOptions
{
    /// <summary>Who it is, for people.</summary>
    public required string Holder { get; init; }

    /// <summary>Clock for what is shown; what decides is the database's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Ends written down in one transaction at most.</summary>
    public int Batch { get; init; } = 500;

    /// <summary>Between two tries to lead.</summary>
    public TimeSpan Standby { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Lease of what a runner that no longer leads has in hand; it renews it thrice within.</summary>
    public TimeSpan RunnerLease { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Time to write what was broken off at the end.</summary>
    public TimeSpan LastWords { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Jobs claimed from one table before the ring turns.</summary>
    public long Enough { get; init; } = 20_000;

    /// <summary>Receipts before a checkpoint.</summary>
    public int Receipts { get; init; } = 2_000;

    /// <summary>Days that done jobs are remembered.</summary>
    public int ArchiveDays { get; init; } = 1;

    /// <summary>A transaction that holds the queue's tables for longer is told.</summary>
    public TimeSpan OpenForLong { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Between two looks for jobs: the longer nothing has come, the more, and never beyond what is due.</summary>
    public static TimeSpan Pause(TimeSpan quiet, TimeSpan next)
    {
        var pause = TimeSpan.FromMilliseconds(quiet < TimeSpan.FromSeconds(1) ? 4 : quiet < TimeSpan.FromSeconds(10) ? 15 : 50);
        return next < pause ? (next > TimeSpan.FromMilliseconds(1) ? next : TimeSpan.FromMilliseconds(1)) : pause;
    }
}
