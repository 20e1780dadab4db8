namespace Ashlar.Http.Transport;

/// <summary>A file descriptor that an <see cref="EventLoop"/> watches. All its members run on that loop's thread.</summary>
public abstract class Pollable
{
    internal int Slot = -1;

    private protected Pollable(EventLoop loop, int fd)
    {
        Loop = loop;
        Fd = fd;
    }

    /// <summary>The loop that watches it.</summary>
    public EventLoop Loop { get; }

    /// <summary>The descriptor; -1 once closed.</summary>
    public int Fd { get; private protected set; }

    /// <summary>Something happened on the descriptor (a mask of EPOLL flags).</summary>
    internal abstract void OnEvents(uint events);

    /// <summary>A handler of this descriptor threw: it must end what it was doing and close.</summary>
    protected internal abstract void OnFault(Exception exception);
}
