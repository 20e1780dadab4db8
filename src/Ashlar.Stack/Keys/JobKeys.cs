namespace Ashlar.Stack;

/// <summary>Keys of the queues of jobs and of the clock.</summary>
internal static class JobKeys
{
    private const string PathPattern = "^/";
    private static readonly JobQueueDefinition QueueDefaults = new() { Name = "" };
    private static readonly ScheduleDefinition ScheduleDefaults = new() { Name = "", Cron = "" };

    /// <summary>A queue under <c>jobs</c>.</summary>
    public static readonly MapShape Queue = new(
        [
            new("to", new TextShape(Names.LabelPattern), "Service that its jobs are sent to, each by a POST with the payload."),
            new("path", new TextShape(PathPattern), "Path that they are sent to.", QueueDefaults.Path),
            new("run", new TextShape(), "Command that is run for each job, with the payload on its standard input; in place of to."),
            new("concurrency", new IntegerShape(1, 10_000), "Jobs in hand at once.", $"{QueueDefaults.Concurrency}"),
            new("attempts", new IntegerShape(1, 1000), "Attempts before a job is a dead letter.", $"{QueueDefaults.Attempts}"),
            new("timeout", Time("1s", "1d"), "Time that an attempt may take.", Duration.Format(QueueDefaults.Timeout)),
            new("lease", Time("1s", "1d"), "Longest time between two heartbeats of a worker that answers 202 and completes the job later. Without it, the answer ends the attempt."),
        ]);

    /// <summary>An entry of <c>schedule</c>.</summary>
    public static readonly MapShape Schedule = new(
        [
            new("cron", new TextShape(), "When: minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, @yearly."),
            new("zone", new TextShape(), "Time zone that it is read in, for example Europe/Berlin.", ScheduleDefaults.Zone),
            new("run", new TextShape(), "Command to run in the release's folder."),
            new("queue", new TextShape(Names.LabelPattern), "Queue under jobs that gets a job; in place of run."),
            new("payload", new TextShape(), "Payload of that job as JSON. Without it, the schedule's name and the time."),
            new("timeout", Time("1s", "7d"), "Time that the command may take.", Duration.Format(ScheduleDefaults.Timeout)),
            new("overlap", new ChoiceShape(["skip", "queue", "allow"]), "What is done when the one before is not finished: left out, after it, or beside it.", "skip"),
            new("catchup", new ChoiceShape(["none", "one", "all"]), "Which times are made up for that passed while nothing ran: none, the last, or all of the last day.", "one"),
        ]);

    private static DurationShape Time(string min, string max) => new(Parse(min), Parse(max));

    private static TimeSpan Parse(string text) => Duration.TryParse(text, out var time, out _) ? time : throw new FormatException(text);
}
