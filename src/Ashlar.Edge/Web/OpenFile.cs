namespace Ashlar.Edge.Web;

/// <summary>A descriptor that the cache and the answers under way share; closed when the last lets go.</summary>
internal sealed class OpenFile(int fd)
{
    private int _holders = 1;

    /// <summary>The descriptor, for whoever holds it.</summary>
    public int Fd => fd;

    /// <summary>Holds it. False: it is closed already.</summary>
    public bool TryHold()
    {
        var seen = Volatile.Read(ref _holders);
        while (seen > 0)
        {
            var before = Interlocked.CompareExchange(ref _holders, seen + 1, seen);
            if (before == seen)
            {
                return true;
            }

            seen = before;
        }

        return false;
    }

    /// <summary>Lets go.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            FileCalls.Close(fd);
        }
    }
}
