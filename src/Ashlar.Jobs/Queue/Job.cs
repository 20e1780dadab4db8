using System.Globalization;
using System.Runtime.InteropServices;

namespace Ashlar.Jobs.Queue;

/// <summary>Where a job lies in its queue.</summary>
/// <param name="Transaction">The transaction that put it there.</param>
/// <param name="Number">Its number.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct Place(ulong Transaction, long Number);

/// <summary>A job that has been claimed.</summary>
internal sealed record Job
{
    /// <summary>Id of its queue.</summary>
    public required int Queue { get; init; }

    /// <summary>Its id.</summary>
    public required long Id { get; init; }

    /// <summary>Where it lies; null: it has a row among the leases.</summary>
    public Place? Place { get; init; }

    /// <summary>The table of the ring that it lies in.</summary>
    public int Part { get; init; }

    /// <summary>From 1; those that were interrupted are not counted.</summary>
    public required int Attempt { get; init; }

    /// <summary>How often it has been handed out, this time included: with the id, its lease.</summary>
    public required int Delivery { get; init; }

    /// <summary>Attempts that it may have.</summary>
    public required int Attempts { get; init; }

    /// <summary>When it became ready.</summary>
    public required DateTime At { get; init; }

    /// <summary>When it was enqueued first.</summary>
    public required DateTime Enqueued { get; init; }

    /// <summary>Its unique key.</summary>
    public string? Key { get; init; }

    /// <summary>The <c>traceparent</c> of who enqueued it.</summary>
    public string? Trace { get; init; }

    /// <summary>JSON.</summary>
    public required string Payload { get; init; }

    /// <summary>What its worker shows to go on with it.</summary>
    public string Lease => string.Create(CultureInfo.InvariantCulture, $"{Id}.{Delivery}");
}

/// <summary>What has become of an attempt.</summary>
internal enum Ending
{
    /// <summary>The job is done.</summary>
    Done,

    /// <summary>The attempt failed: the job comes back later, or is dead after its last.</summary>
    Failed,

    /// <summary>The worker asked to come back later, or could not be reached: no attempt is charged.</summary>
    Later,

    /// <summary>It was broken off by us: it is ready again at once, and no attempt is charged.</summary>
    Interrupted,

    /// <summary>The worker wants no further attempt.</summary>
    Dead,
}

/// <summary>The end of an attempt.</summary>
/// <param name="Ending">How.</param>
/// <param name="Error">Why, where it is not done.</param>
/// <param name="RetryIn">When to come back, where the worker said so.</param>
internal sealed record Outcome(Ending Ending, string? Error = null, TimeSpan? RetryIn = null)
{
    public static Outcome Done { get; } = new(Ending.Done);

    public static Outcome Interrupted { get; } = new(Ending.Interrupted);

    public static Outcome Failed(string error) => new(Ending.Failed, error);
}

/// <summary>A finished attempt to be written down.</summary>
internal sealed record Finished(Job Job, Outcome Outcome, DateTime Started);
