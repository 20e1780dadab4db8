using System.Collections.Concurrent;
using System.Diagnostics;
using Ashlar.Errors;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Runner;
using Npgsql;

namespace Ashlar.Jobs.Tests;

/// <summary>A dispatcher of a test's own, and what it tells.</summary>
internal sealed class RunnerRig : IDispatchEvents, IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _runs;
    private readonly TimeSpan _grace;

    public RunnerRig(JobsSettings settings, IDelivery delivery, DispatchOptions? options = null, TimeSpan? grace = null)
    {
        _grace = grace ?? TimeSpan.FromSeconds(10);
        Dispatcher = new Dispatcher(settings, Database.Of(settings), _ => delivery, this, options ?? new DispatchOptions { Holder = "test" });
        _runs = Task.Run(() => Dispatcher.RunAsync(_grace, _stop.Token));
    }

    public Dispatcher Dispatcher { get; }

    public ConcurrentQueue<(Job Job, Outcome Outcome, bool Lost)> Endings { get; } = new();

    public ConcurrentQueue<AshlarError> Said { get; } = new();

    public ConcurrentQueue<(string Schedule, DateTime At)> Ticks { get; } = new();

    public long Epoch { get; private set; }

    void IDispatchEvents.Say(AshlarError error) => Said.Enqueue(error);

    void IDispatchEvents.Leads(long epoch) => Epoch = epoch;

    void IDispatchEvents.StandsBy()
    {
    }

    void IDispatchEvents.HandedOver()
    {
    }

    void IDispatchEvents.BreaksOff(int jobs)
    {
    }

    void IDispatchEvents.Began(string queue, Job job, DateTime now)
    {
    }

    void IDispatchEvents.Ended(string queue, Finished finished, DateTime now, bool wasLost) => Endings.Enqueue((finished.Job, finished.Outcome, wasLost));

    void IDispatchEvents.Fired(string schedule, DateTime at) => Ticks.Enqueue((schedule, at));

    public Task LeadsAsync() => Until(() => Dispatcher.Leads, "it leads");

    public Task EndedAsync(int jobs) => Until(
        () => Task.FromResult(Endings.Count >= jobs), () => $"{jobs} jobs have ended, not {Endings.Count}. {string.Join(' ', Said.Select(error => error.Message).Distinct())}");

    /// <summary>Ends it in order.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _runs.WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    public static Task Until(Func<bool> isSo, string what) => Until(() => Task.FromResult(isSo()), what);

    public static Task Until(Func<Task<bool>> isSo, string what) => Until(isSo, () => what);

    public static async Task Until(Func<Task<bool>> isSo, Func<string> what, TimeSpan? patience = null)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < (patience ?? Patience), $"Not in time: {what()}");
            await Task.Delay(10);
        }
    }

    public static async Task<long> EnqueueAsync(NpgsqlConnection connection, string queue, string payload = "{}", string more = "")
    {
        await using var command = new NpgsqlCommand($"select ashlar.enqueue($1, $2::jsonb{more})", connection) { Parameters = { new() { Value = queue }, new() { Value = payload } } };
        return (long)(await command.ExecuteScalarAsync())!;
    }
}

/// <summary>Does jobs by a function.</summary>
internal sealed class FunctionDelivery(Func<Job, CancellationToken, Task<Outcome?>> run) : IDelivery
{
    public static FunctionDelivery Done { get; } = new((_, _) => Task.FromResult<Outcome?>(Outcome.Done));

    public ConcurrentQueue<Job> Handed { get; } = new();

    public Task<Outcome?> DeliverAsync(QueueSettings queue, Job job, CancellationToken cancellation)
    {
        Handed.Enqueue(job);
        return run(job, cancellation);
    }
}
