using Ashlar.Jobs.Queue;

namespace Ashlar.Jobs.Runner;

/// <summary>A job in hand.</summary>
internal sealed class InFlight(Job job, Lane lane, long epoch, DateTime started)
{
    /// <summary>The job; it loses its place when it gets a lease.</summary>
    public Job Job { get; set; } = job;

    /// <summary>Its queue.</summary>
    public Lane Lane { get; } = lane;

    /// <summary>The epoch that it was claimed in; -1: its claim is lost, and what becomes of it counts no more.</summary>
    public long Epoch { get; private set; } = epoch;

    /// <summary>When it was handed out.</summary>
    public DateTime Started { get; } = started;

    /// <summary>Breaks it off.</summary>
    public CancellationTokenSource Breaking { get; } = new();

    /// <summary>What has become of it, once that is known.</summary>
    public Outcome? Outcome { get; set; }

    /// <summary>Its claim is lost: it is given out again, and breaks off here.</summary>
    public void Lose()
    {
        Epoch = -1;
        Breaking.Cancel();
    }
}
