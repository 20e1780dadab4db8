using Ashlar.Http.Transport;
using Ashlar.Http.Wire;

#pragma warning disable CA1001 // what speaks HTTP/2 is disposed of by its server

namespace Ashlar.Edge.Forwarding;

/// <summary>Requests that go on without their client, for the store.</summary>
internal sealed partial class ClientConnection
{
    // Of nobody: what it asks for is for the store.
    private ClientConnection(ClientConnection like, PooledBuffer received)
        : base(like.Loop, -1)
    {
        _edge = like._edge;
        _timer = new LoopTimer(this);
        (Listener, Peer) = (like.Listener, like.Peer);
        (_asked, _shown) = (like._asked, like._shown);
        Received = received;
        _isAlone = true;
        _state = State.Exchange;
    }

    /// <summary>Serves a request that a client has had before, for nobody but the store.</summary>
    /// <param name="like">A connection that it came on.</param>
    /// <param name="head">A copy of its head; given back when all is done.</param>
    public static void RunAlone(ClientConnection like, PooledBuffer head)
    {
        var connection = new ClientConnection(like, head);
        var exchange = connection._edge.RentExchange();
        connection._exchange = exchange;
        if (exchange.ParseHead(connection, head) == ParseStatus.Done)
        {
            exchange.StartAlone();
            connection.Advance();
        }
        else
        {
            exchange.ClientLost();
            connection.LetGo();
        }
    }

    /// <summary>A copy of a part of what was received.</summary>
    public PooledBuffer CopyOf(int start, int length)
    {
        var copy = length <= BufferPool.Small ? Loop.Buffers.Rent() : Loop.Buffers.RentLarge();
        copy.Append(Received!.Slice(start, length));
        return copy;
    }

    /// <summary>Its exchange goes on without it.</summary>
    public void LeaveAlone()
    {
        _isAlone = true;
        Abort();
        Loop.Post(_resume ??= Advance);
    }

    private void AdvanceAlone()
    {
        if (_exchange is { } exchange && exchange.Advance())
        {
            _exchange = null;
            exchange.End();
            LetGo();
        }
    }
}
