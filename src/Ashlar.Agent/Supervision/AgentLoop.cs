using System.Threading.Channels;
using Ashlar.Agent.Hosting;

namespace Ashlar.Agent.Supervision;

/// <summary>
/// The one thread of control on which the agent's state is read and changed: work is queued and run piece by piece, and after
/// each batch that may have changed something the world is settled once. So nothing else in the agent needs a lock.
/// </summary>
internal sealed class AgentLoop(AgentLog log)
{
    private readonly Channel<Work> _work = Channel.CreateUnbounded<Work>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Queues work. After the end of the loop it is dropped.</summary>
    public void Post(Action work) => Post(() =>
    {
        work();
        return ValueTask.CompletedTask;
    });

    /// <summary>Queues work that waits for something short (the store).</summary>
    public void Post(Func<ValueTask> work) => _work.Writer.TryWrite(new Work(work, Changes: true));

    /// <summary>Queues work and gives its result; the world is settled before anything else is run.</summary>
    public Task<T> InvokeAsync<T>(Func<ValueTask<T>> work) => QueueAsync(work, changes: true);

    /// <inheritdoc cref="InvokeAsync{T}(Func{ValueTask{T}})"/>
    public Task<T> InvokeAsync<T>(Func<T> work) => InvokeAsync(() => ValueTask.FromResult(work()));

    /// <inheritdoc cref="InvokeAsync{T}(Func{ValueTask{T}})"/>
    public Task InvokeAsync(Action work) => InvokeAsync(() =>
    {
        work();
        return true;
    });

    /// <summary>Queues a question, which changes nothing, and gives its answer. The world is not settled for it.</summary>
    public Task<T> AskAsync<T>(Func<T> question) => QueueAsync(() => ValueTask.FromResult(question()), changes: false);

    /// <summary>Runs the work, and <paramref name="settle"/> after each batch that may have changed something, until <see cref="End"/>.</summary>
    public async Task RunAsync(Func<ValueTask> settle)
    {
        while (await _work.Reader.WaitToReadAsync())
        {
            var changed = false;
            while (_work.Reader.TryRead(out var work))
            {
                await GuardAsync(work.Run);
                changed |= work.Changes;
            }

            if (changed)
            {
                await GuardAsync(settle);
            }
        }
    }

    /// <summary>Lets the loop end when its work is done.</summary>
    public void End() => _work.Writer.TryComplete();

    private async Task<T> QueueAsync<T>(Func<ValueTask<T>> work, bool changes)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var queued = _work.Writer.TryWrite(new Work(RunAsync, changes));
        return queued ? await done.Task : throw new OperationCanceledException("The agent ends.");

        async ValueTask RunAsync()
        {
            try
            {
                done.TrySetResult(await work());
            }
            catch (Exception e)
            {
                done.TrySetException(e);
            }
        }
    }

    // A fault in one piece of work must not end the agent: what runs is watched on.
    private async ValueTask GuardAsync(Func<ValueTask> work)
    {
        try
        {
            await work();
        }
        catch (Exception e)
        {
            log.Error(LogEvent.Fault, "The agent's loop", e);
        }
    }

    private readonly record struct Work(Func<ValueTask> Run, bool Changes);
}
