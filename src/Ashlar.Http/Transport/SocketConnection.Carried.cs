using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

#pragma warning disable CA2012 // each is awaited once: its continuation runs on the loop, and takes its result there

namespace Ashlar.Http.Transport;

/// <summary>
/// The same connection without a socket: its other end is in this process, on another thread. What its owner sees is the plain one.
/// </summary>
public abstract partial class SocketConnection
{
    private const int NoSocket = int.MaxValue;
    private const int LargestPiece = 32 * 1024;

    private readonly IDuplexPipe? _carrier;
    private readonly Action? _onCarried;
    private readonly Action? _onTaken;
    private ValueTaskAwaiter<ReadResult> _coming;
    private ValueTaskAwaiter<FlushResult> _going;
    private bool _isComing;

    /// <summary>A connection whose other end reads and writes the other halves of <paramref name="carrier"/>'s pipes, which run what waits for them inline.</summary>
    protected SocketConnection(EventLoop loop, IDuplexPipe carrier)
        : base(loop, NoSocket)
    {
        _carrier = carrier;
        _isLayered = true;
        CanReceive = true;
        _onCarried = () => Loop.Post(Carried);
        _onTaken = () => Loop.Post(Taken);
    }

    /// <summary>The other end has gone: nothing more can be sent, and nothing of what was is of use. On the loop.</summary>
    public void Lose()
    {
        if (IsOpen)
        {
            _hungUp = IsBroken = CanReceive = true;
            OnReady();
        }
    }

    private int ReceiveCarried(Span<byte> destination)
    {
        var from = _carrier!.Input;
        if (_isComing || !from.TryRead(out var read))
        {
            AwaitCarried();
            return SocketResult.WouldBlock;
        }

        var length = (int)Math.Min(read.Buffer.Length, destination.Length);
        read.Buffer.Slice(0, length).CopyTo(destination);
        from.AdvanceTo(read.Buffer.GetPosition(length));
        if (length > 0)
        {
            return length;
        }

        if (read.IsCompleted)
        {
            _hungUp = true;
            return SocketResult.Closed;
        }

        AwaitCarried();
        return SocketResult.WouldBlock;
    }

    private void AwaitCarried()
    {
        CanReceive = false;
        if (_isComing)
        {
            return;
        }

        _isComing = true;
        _coming = _carrier!.Input.ReadAsync().GetAwaiter();
        _coming.UnsafeOnCompleted(_onCarried!);
    }

    private void Carried()
    {
        _isComing = false;
        if (!IsOpen)
        {
            return;
        }

        _carrier!.Input.AdvanceTo(_coming.GetResult().Buffer.Start);
        CanReceive = true;
        OnReady();
    }

    // Piece by piece, until the other end has to make room: what is lent may be far larger than the pipe means to hold.
    private int SendCarried(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (IsBroken)
        {
            return SocketResult.Failed;
        }

        var (to, sent) = (_carrier!.Output, 0);
        while (CanSend && sent < first.Length + second.Length)
        {
            var piece = sent < first.Length ? first[sent..] : second[(sent - first.Length)..];
            piece = piece[..Math.Min(piece.Length, LargestPiece)];
            to.Write(piece);
            sent += piece.Length;
            _going = to.FlushAsync().GetAwaiter();
            if (!_going.IsCompleted)
            {
                CanSend = false;
                _going.UnsafeOnCompleted(_onTaken!);
            }
            else if (_going.GetResult().IsCompleted)
            {
                _hungUp = IsBroken = true;
                return SocketResult.Failed;
            }
        }

        return sent;
    }

    private void Taken()
    {
        if (IsOpen)
        {
            IsBroken |= _going.GetResult().IsCompleted;
            CanSend = true;
            OnReady();
        }
    }

    private void EndCarried() => _carrier!.Output.Complete();

    private void CloseCarried(bool inOrder)
    {
        _carrier!.Output.Complete(inOrder ? null : new IOException("The connection was broken off."));
        _carrier.Input.Complete();
    }
}
