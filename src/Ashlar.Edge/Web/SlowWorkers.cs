using System.Collections.Concurrent;
using Ashlar.Http.Transport;

namespace Ashlar.Edge.Web;

/// <summary>
/// A few threads for what may wait for a disk or take long (opening and reading files, compressing, checking passwords), so that no loop does. What is
/// done comes back to the loop that asked.
/// </summary>
internal sealed class SlowWorkers : IDisposable
{
    private readonly BlockingCollection<Work> _work;
    private readonly Action<Exception> _onFault;
    private readonly string _name;
    private readonly int _most;
    private int _threads;

    /// <param name="onFault">Told of a defect in what was done; must not throw.</param>
    /// <param name="name">Name of the threads.</param>
    /// <param name="threads">How many.</param>
    /// <param name="mostWaiting">How much may wait for them.</param>
    public SlowWorkers(Action<Exception> onFault, string name = "files", int threads = 4, int mostWaiting = 10_000)
    {
        _onFault = onFault;
        (_name, _most) = (name, threads);
        _work = new BlockingCollection<Work>(mostWaiting);
    }

    /// <summary>Has work done. False: too much is waiting, or it has ended.</summary>
    /// <param name="loop">Whose loop asks.</param>
    /// <param name="work">Done on a thread of this; must not touch what belongs to the loop.</param>
    /// <param name="done">Called on the loop afterwards, also if the work threw or was not wanted any more.</param>
    /// <param name="isWanted">Asked before the work begins; false: whoever asked has gone, and it is left out.</param>
    public bool TryRun(EventLoop loop, Action work, Action done, Func<bool>? isWanted = null) => TryAdd(new Work(loop, work, done, isWanted));

    /// <summary>Has work done that sees to its own result. False: too much is waiting, or it has ended.</summary>
    public bool TryRun(Action work) => TryAdd(new Work(null, work, null, null));

    public void Dispose() => _work.CompleteAdding();

    private bool TryAdd(Work work)
    {
        // Most edges serve no files: threads begin when there is something to do.
        if (Volatile.Read(ref _threads) < _most && Interlocked.Increment(ref _threads) <= _most)
        {
            new Thread(Run) { Name = _name, IsBackground = true }.Start();
        }

        try
        {
            return _work.TryAdd(work);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable())
        {
            try
            {
                if (work.IsWanted?.Invoke() != false)
                {
                    work.Do();
                }
            }
            catch (Exception e)
            {
                _onFault(e);
            }

            work.Loop?.Post(work.Done!);
        }
    }

    private sealed record Work(EventLoop? Loop, Action Do, Action? Done, Func<bool>? IsWanted);
}
