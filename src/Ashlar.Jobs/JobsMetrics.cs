using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Errors;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Runner;
using Ashlar.Monitoring;

namespace Ashlar.Jobs;

/// <summary>What the jobs process counts, as series by queue in <c>jobs.1.PID.metrics</c>, and what it says. Times are in microseconds.</summary>
internal sealed class JobsMetrics : IDispatchEvents, IDisposable
{
    private const int Series = 4096;
    private const int Values = 1 << 17;
    private readonly Lock _gate = new();
    private readonly MetricsFile _file;
    private readonly Action<string> _say;
    private string _last = "";
    private DateTime _lastAt;
    private bool _standsBy;

    private JobsMetrics(MetricsFile file, Action<string> say) => (_file, _say) = (file, say);

    /// <summary>Makes the file; in memory where that cannot be.</summary>
    public static JobsMetrics Create(string folder, string instance, Action<string> say)
    {
        try
        {
            foreach (var dead in Directory.EnumerateFiles(folder, $"{instance}.*.metrics").Where(path => !MetricsReader.TryRead(path, out var snapshot, out _) || !snapshot.IsWriterAlive))
            {
                File.Delete(dead);
            }

            return new JobsMetrics(MetricsFile.Create(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{instance}.{Environment.ProcessId}.metrics")), 1, Series, Values), say);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new JobsMetrics(MetricsFile.InMemory(1, Series, Values), say);
        }
    }

    /// <summary>Notes how the queues are.</summary>
    public void Note(ImmutableArray<QueueReport> queues)
    {
        lock (_gate)
        {
            foreach (var queue in queues)
            {
                Set("jobs_ready", queue.Queue, queue.Ready);
                Set("jobs_oldest_milliseconds", queue.Queue, (long)((queue.OldestSeconds ?? 0) * 1000));
                Set("jobs_in_flight", queue.Queue, queue.InFlight);
                Set("jobs_scheduled", queue.Queue, queue.Scheduled);
                Set("jobs_retries", queue.Queue, queue.Retries);
                Set("jobs_dead", queue.Queue, queue.Dead);
            }
        }
    }

    /// <inheritdoc />
    public void Say(AshlarError error)
    {
        lock (_gate)
        {
            // What goes on is said once a minute.
            if (error.ToString() != _last || DateTime.UtcNow - _lastAt > TimeSpan.FromMinutes(1))
            {
                (_last, _lastAt) = (error.ToString(), DateTime.UtcNow);
                Line(_last);
            }
        }
    }

    /// <inheritdoc />
    public void Leads(long epoch)
    {
        _standsBy = false;
        Line(string.Create(CultureInfo.InvariantCulture, $"hands out jobs, epoch {epoch}"));
    }

    /// <inheritdoc />
    public void StandsBy()
    {
        if (!_standsBy)
        {
            _standsBy = true;
            Line("stands by: another process hands out jobs");
        }
    }

    /// <inheritdoc />
    public void HandedOver() => Line("hands out no more jobs; finishes what is in hand");

    /// <inheritdoc />
    public void BreaksOff(int jobs) => Line(string.Create(CultureInfo.InvariantCulture, $"breaks off {jobs} jobs; they are handed out again, and no attempt is charged"));

    /// <inheritdoc />
    public void Began(string queue, Job job, DateTime now)
    {
        lock (_gate)
        {
            _file.Slot(0).Record(_file.Histogram("jobs_wait", queue), Microseconds(now - job.At));
        }
    }

    /// <inheritdoc />
    public void Ended(string queue, Finished finished, DateTime now, bool wasLost)
    {
        var ending = wasLost ? "lost" : finished.Outcome.Ending == Ending.Failed && finished.Job.Attempt >= finished.Job.Attempts ? "dead" : finished.Outcome.Ending.ToString().ToLowerInvariant();
        lock (_gate)
        {
            _file.Slot(0).Add(_file.Counter($"jobs_ended_{ending}", queue), 1);
            _file.Slot(0).Record(_file.Histogram("jobs_run", queue), Microseconds(now - finished.Started));
        }

        if (ending is not "done" and not "later")
        {
            Line(string.Create(CultureInfo.InvariantCulture, $"{queue}: job {finished.Job.Id}, attempt {finished.Job.Attempt} of {finished.Job.Attempts}: {ending}{(finished.Outcome.Error is { } error ? $": {error}" : "")}"));
        }
    }

    /// <inheritdoc />
    public void Fired(string schedule, DateTime at)
    {
        lock (_gate)
        {
            _file.Slot(0).Add(_file.Counter("schedule_fired", schedule), 1);
        }

        Line(string.Create(CultureInfo.InvariantCulture, $"schedule {schedule} fired for {at:yyyy-MM-dd HH:mm:ss} UTC"));
    }

    /// <inheritdoc />
    public void Dispose() => _file.Dispose();

    private static long Microseconds(TimeSpan time) => Math.Max(0, (long)time.TotalMicroseconds);

    private void Set(string name, string queue, long value) => _file.Slot(0).Set(_file.Gauge(name, queue), value);

    private void Line(string text) => _say(text);
}
