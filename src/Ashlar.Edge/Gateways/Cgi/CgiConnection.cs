using System.Net.Sockets;
using static Ashlar.Edge.Gateways.Cgi.PollCalls;

namespace Ashlar.Edge.Gateways.Cgi;

/// <summary>A connection of the edge's: one request after the other.</summary>
internal sealed class CgiConnection : IDisposable
{
    private const int BufferSize = 32 * 1024;
    private const int HeadPatienceMs = 30_000;

    private readonly Socket _socket;
    private readonly CgiServer _server;
    private readonly Lock _gate = new();
    private bool _isIdle = true;

    public CgiConnection(Socket socket, CgiServer server)
    {
        _socket = socket;
        _server = server;

        // From here on the descriptor is used by itself.
        _socket.Blocking = false;
        Fd = (int)socket.SafeHandle.DangerousGetHandle();
    }

    /// <summary>Its descriptor.</summary>
    public int Fd { get; }

    /// <summary>The request.</summary>
    public RequestDecoder Request { get; } = new();

    /// <summary>What has come of the request's body and is not passed on.</summary>
    public byte[] Received { get; } = new byte[BufferSize];

    /// <summary>Where that begins.</summary>
    public int Start { get; set; }

    /// <summary>Where it ends.</summary>
    public int End { get; set; }

    /// <summary>True: none of the body is here that could be passed on.</summary>
    public bool IsEmpty => Start == End;

    /// <summary>Serves it to its end.</summary>
    public void Run()
    {
        while (ReadVariables() && new ScriptRun(this, _server).Serve() && Request.Status == RequestStatus.Complete && Request.KeepsConnection && !_server.IsStopping)
        {
            Request.Reset();
            Start = End = 0;
        }
    }

    /// <summary>Receives more; what is here has been passed on. False: the other side has gone.</summary>
    public bool Receive()
    {
        var count = Read(Fd, Received);
        Start = 0;
        End = count > 0 ? Request.Decode(Received.AsSpan(0, count)) : 0;
        return count != 0 && Request.Status != RequestStatus.Bad;
    }

    /// <summary>Ends it if it waits for a request.</summary>
    public void CloseIfIdle()
    {
        lock (_gate)
        {
            if (_isIdle)
            {
                try
                {
                    _socket.Shutdown(SocketShutdown.Both);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // It ends by itself.
                }
            }
        }
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();

    private bool ReadVariables()
    {
        SetIdle(true);
        while (Request.Status == RequestStatus.Variables)
        {
            if (_server.IsStopping && !Request.HasBegun)
            {
                return false;
            }

            Span<Watched> watched = [new Watched(Fd, In)];
            Wait(watched, Request.HasBegun ? HeadPatienceMs : Timeout.Infinite);
            if ((watched[0].Found == 0 && Request.HasBegun) || !Receive())
            {
                return false;
            }

            SetIdle(!Request.HasBegun);
        }

        return true;
    }

    private void SetIdle(bool isIdle)
    {
        lock (_gate)
        {
            _isIdle = isIdle;
        }
    }
}
