using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ashlar.Http.Transport;

namespace Ashlar.Edge.Forwarding;

/// <summary>How a flush went.</summary>
internal enum FlushStatus
{
    /// <summary>All is sent.</summary>
    Done,

    /// <summary>The socket is full; an event tells when to go on.</summary>
    Blocked,

    /// <summary>The connection is broken.</summary>
    Failed,
}

/// <summary>
/// What waits to be sent to one socket: heads, framing and small pieces that were copied, and behind them at most one
/// piece that was not copied but lent, where it lies in the buffer it was received in. Holds a buffer only while it holds bytes.
/// </summary>
internal sealed unsafe class Outbox(BufferPool pool)
{
    private PooledBuffer? _copied;
    private PooledBuffer? _lender;
    private byte* _lent;
    private int _lentLength;

    /// <summary>Something that was lent waits.</summary>
    public bool HoldsLent => _lentLength > 0;

    /// <summary>Nothing waits.</summary>
    public bool IsEmpty => _lentLength == 0 && _copied is not { Length: > 0 };

    /// <summary>Bytes that can be copied in now; none behind a piece that was lent.</summary>
    public int Room => _lentLength > 0 ? 0 : _copied is null ? BufferPool.Small : _copied.Capacity - _copied.End;

    /// <summary>Where to write what is copied in; <see cref="Advance"/> says how much it was.</summary>
    public Span<byte> Free => (_copied ??= pool.Rent()).Free;

    /// <summary>Counts <paramref name="length"/> bytes of <see cref="Free"/> as written.</summary>
    public void Advance(int length) => _copied!.End += length;

    /// <summary>Copies <paramref name="bytes"/> in; there must be room.</summary>
    public void Copy(ReadOnlySpan<byte> bytes) => (_copied ??= pool.Rent()).Append(bytes);

    /// <summary>Lends bytes of <paramref name="lender"/>, which must stay as they are until all is sent.</summary>
    public void Lend(PooledBuffer lender, int start, int length)
    {
        Lend(lender.Slice(start, length));
        _lender = lender;
    }

    /// <summary>Lends bytes that are pinned or lie outside the heap, and stay as they are until all is sent.</summary>
    public void Lend(ReadOnlySpan<byte> pinned)
    {
        _lent = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(pinned));
        _lentLength = pinned.Length;
    }

    /// <summary>Makes room for more than an ordinary buffer takes; only while empty.</summary>
    public void EnsureLarge()
    {
        if (_copied is null || _copied.Capacity < BufferPool.Large)
        {
            Clear();
            _copied = pool.RentLarge();
        }
    }

    /// <summary>Sends what it can.</summary>
    /// <param name="socket">Where to.</param>
    /// <param name="sent">Bytes sent now.</param>
    public FlushStatus Flush(SocketConnection socket, out int sent)
    {
        sent = 0;
        if (IsEmpty)
        {
            return FlushStatus.Done;
        }

        if (!socket.CanSend)
        {
            return FlushStatus.Blocked;
        }

        sent = _lentLength == 0 ? socket.Send(_copied!.Data)
            : _copied is not { Length: > 0 } ? socket.Send(new ReadOnlySpan<byte>(_lent, _lentLength))
            : socket.Send(_copied.Data, new ReadOnlySpan<byte>(_lent, _lentLength));
        if (sent < 0)
        {
            var failed = sent == SocketResult.Failed;
            sent = 0;
            return failed ? FlushStatus.Failed : FlushStatus.Blocked;
        }

        Drop(sent);
        return IsEmpty ? FlushStatus.Done : FlushStatus.Blocked;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        if (_copied is not null)
        {
            pool.Return(_copied);
            _copied = null;
        }

        _lender = null;
        _lentLength = 0;
    }

    private void Drop(int length)
    {
        if (_copied is not null)
        {
            var copied = Math.Min(length, _copied.Length);
            _copied.Start += copied;
            length -= copied;
            if (_copied.Length == 0)
            {
                pool.Return(_copied);
                _copied = null;
            }
        }

        _lent += length;
        _lentLength -= length;
        if (_lentLength == 0)
        {
            _lender = null;
        }
    }
}
