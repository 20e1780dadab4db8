using System.Collections.Concurrent;
using Ashlar.Http.Transport;

namespace Ashlar.Edge.Web;

/// <summary>
/// A few threads for what may wait for a disk or take long (opening and reading files, compressing, checking passwords), so that no
/// loop does. What is done comes back to the loop that asked.
/// </summary>
internal sealed class FileWorkers : IDisposable
{
    private const int Threads = 4;
    private const int MostWaiting = 10_000;

    private readonly BlockingCollection<Work> _work = new(MostWaiting);
    private readonly Action<Exception> _onFault;
    private int _threads;

    public FileWorkers(Action<Exception> onFault) => _onFault = onFault;

    /// <summary>Has work done. False: too much is waiting, or it has ended.</summary>
    /// <param name="loop">Whose loop asks.</param>
    /// <param name="work">Done on a thread of this; must not touch what belongs to the loop.</param>
    /// <param name="done">Called on the loop afterwards, also if the work threw.</param>
    public bool TryRun(EventLoop loop, Action work, Action done)
    {
        // Most edges serve no files: threads begin when there is something to do.
        if (Volatile.Read(ref _threads) < Threads && Interlocked.Increment(ref _threads) <= Threads)
        {
            new Thread(Run) { Name = "files", IsBackground = true }.Start();
        }

        try
        {
            return _work.TryAdd(new Work(loop, work, done));
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    public void Dispose() => _work.CompleteAdding();

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable())
        {
            try
            {
                work.Do();
            }
            catch (Exception e)
            {
                _onFault(e);
            }

            work.Loop.Post(work.Done);
        }
    }

    private sealed record Work(EventLoop Loop, Action Do, Action Done);
}
