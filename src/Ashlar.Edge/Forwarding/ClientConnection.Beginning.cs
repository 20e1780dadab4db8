using System.Text;
using Ashlar.Edge.Hopping;
using Ashlar.Edge.Http2;
using Ashlar.Edge.Routing;
using Ashlar.Http.Transport.Tls;

namespace Ashlar.Edge.Forwarding;

/// <summary>How a connection begins: secured or not, as HTTP/1.1, HTTP/2 or bytes.</summary>
internal sealed partial class ClientConnection
{
    private void BeginSecurely()
    {
        if (IsCarried)
        {
            Rest();
            Advance();
            return;
        }

        if (Listener.Tls is { } tls)
        {
            AcceptSecurely(tls);
        }

        if (!Open())
        {
            return;
        }

        Rest();
        if (IsSecure)
        {
            SetDeadline((long)_edge.Options.HandshakeTimeout.TotalMilliseconds);
        }
        else if (Listener.Forward is not null)
        {
            // Its client speaks no HTTP: we say for it what it wants.
            Received = Loop.Buffers.Rent();
            Received.Append(HopField.Opening);
            Advance();
        }
    }

    /// <summary>
    /// False if the client's certificate is for another host than the one asked for: it has taken this connection for one that it may
    /// use for more (RFC 9110 section 7.4). A client that named no host in its handshake is taken at its word.
    /// </summary>
    public bool IsFor(ReadOnlySpan<byte> host)
    {
        if (_asked is null)
        {
            return true;
        }

        var name = HostName.Strip(host);
        return Ascii.EqualsIgnoreCase(name, _asked) || (_shown is not null && _shown.Covers(Encoding.ASCII.GetString(name)));
    }

    protected override void OnSecured()
    {
        if (Listener.Tls is TlsFront front)
        {
            _asked = ServerName;
            _shown = _asked is null ? null : front.Find(_asked);
            if (IsHttp2)
            {
                BeginHttp2();
                return;
            }
        }

        WaitForRequest();
    }

    private void BeginHttp2()
    {
        StartWork();
        ClearDeadline();
        _state = State.Http2;
        _http2 = new Http2Connection(this);
        _edge.Server.Http2.Take(_http2);
        if (_edge.IsDraining)
        {
            Drain();
        }
    }

    /// <summary>All that HTTP/2 had to say has been sent.</summary>
    public void EndHttp2()
    {
        if (_state == State.Http2)
        {
            BeginLingering();
        }
    }
}
