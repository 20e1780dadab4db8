using System.ComponentModel;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Catalog.Channel;

/// <summary>
/// A file descriptor that this process owns. Disposing closes this copy and does nothing else: no shutdown, no linger.
/// A .NET <see cref="System.Net.Sockets.Socket"/> on a listener that another process shares would reset that process's connections.
/// </summary>
public sealed class Descriptor : SafeHandleMinusOneIsInvalid
{
    /// <summary>Takes over the descriptor with this number.</summary>
    public Descriptor(int number) : base(ownsHandle: true) => SetHandle(number);

    /// <summary>Its number, valid until disposed.</summary>
    public int Number => (int)handle;

    /// <summary>A copy of its own, closed on exec.</summary>
    /// <exception cref="IOException">This process has no descriptor left.</exception>
    public Descriptor Duplicate()
    {
        var held = false;
        try
        {
            DangerousAddRef(ref held);
            var copy = Native.FcntlInt(Number, Native.F_DUPFD_CLOEXEC, 0);
            return copy >= 0 ? new Descriptor(copy) : throw new IOException("Cannot duplicate a descriptor.", new Win32Exception());
        }
        finally
        {
            if (held)
            {
                DangerousRelease();
            }
        }
    }

    /// <summary>Gives up ownership: the number, which the caller closes or hands on.</summary>
    public int Release()
    {
        var number = Number;
        SetHandleAsInvalid();
        return number;
    }

    /// <inheritdoc />
    protected override bool ReleaseHandle() => Native.Close((int)handle) == 0;
}
