namespace Ashlar.Stack;

/// <summary>A queue of jobs in the stack's database, and who does them.</summary>
public sealed record JobQueueDefinition
{
    /// <summary>Its name, as <c>ashlar.enqueue</c> takes it.</summary>
    public required string Name { get; init; }

    /// <summary>Service that its jobs are sent to over HTTP; null: they are run by <see cref="Run"/>.</summary>
    public string? To { get; init; }

    /// <summary>Path that they are sent to.</summary>
    public string Path { get; init; } = "/";

    /// <summary>Command that is run for each, with the payload on its standard input; null: they are sent.</summary>
    public string? Run { get; init; }

    /// <summary>Jobs in hand at once. Default 10.</summary>
    public int Concurrency { get; init; } = 10;

    /// <summary>Attempts before a job is a dead letter. Default 20.</summary>
    public int Attempts { get; init; } = 20;

    /// <summary>Time that an attempt may take. Default 5 min.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Longest time between two heartbeats, where workers answer 202 and complete jobs later; null: the answer ends the attempt.</summary>
    public TimeSpan? Lease { get; init; }
}

/// <summary>Something that is done by the clock.</summary>
public sealed record ScheduleDefinition
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>When: a cron expression of five fields, or a word such as <c>@daily</c>.</summary>
    public required string Cron { get; init; }

    /// <summary>Time zone that it is read in, an IANA name. Default UTC.</summary>
    public string Zone { get; init; } = "UTC";

    /// <summary>Command to run; null: a job is enqueued.</summary>
    public string? Run { get; init; }

    /// <summary>Queue that gets a job; null: the command is run.</summary>
    public string? Queue { get; init; }

    /// <summary>Payload of that job as JSON; null: name and time.</summary>
    public string? Payload { get; init; }

    /// <summary>Time that the command may take. Default 1 h.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>What is done when the one before is not finished.</summary>
    public OverlapPolicy Overlap { get; init; }

    /// <summary>What is done about times that passed while nothing ran.</summary>
    public CatchUpPolicy CatchUp { get; init; } = CatchUpPolicy.One;
}

/// <summary>What is done when a schedule fires and the one before is not finished.</summary>
public enum OverlapPolicy
{
    /// <summary>It is left out.</summary>
    Skip,

    /// <summary>It waits for the other.</summary>
    Queue,

    /// <summary>It runs beside the other.</summary>
    Allow,
}

/// <summary>What is done about times of a schedule that passed while nothing ran.</summary>
public enum CatchUpPolicy
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The last is made up for.</summary>
    One,

    /// <summary>All of the last day are.</summary>
    All,
}
