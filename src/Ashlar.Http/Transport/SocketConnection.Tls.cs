using Ashlar.Http.Transport.Tls;

namespace Ashlar.Http.Transport;

/// <summary>The same connection with TLS on it: what its owner sees is the plain one, only later.</summary>
public abstract unsafe partial class SocketConnection
{
    /// <summary>True: TLS is spoken, or about to be.</summary>
    public bool IsSecure => _tls is not null;

    /// <summary>Common name in the certificate that the peer has shown; null: it has shown none, or not yet.</summary>
    public string? PeerName => _tls?.PeerName;

    /// <summary>Why the peer has refused us after all that TLS 1.3 lets a client see, so that it has read nothing of what was sent; null: it has not.</summary>
    public string? Refusal => _tls is { IsRefused: true } tls ? tls.Failure : null;

    /// <summary>True: its TLS session continues one of before.</summary>
    internal bool IsResumed => _tls is { IsResumed: true };

    /// <summary><c>TLSv1.3</c>; empty on a plain connection.</summary>
    internal string TlsVersion => _tls?.Version ?? "";

    /// <summary>Name that the client of a TLS connection has asked for (RFC 6066 section 3); null: none.</summary>
    protected string? ServerName => _tls?.ServerName;

    /// <summary>True: HTTP/2 was agreed on in the handshake.</summary>
    protected bool IsHttp2 => _tls is { IsHttp2: true };

    /// <summary>
    /// TLS from now on, as the server. Nothing is called until the handshake is over: then <see cref="OnSecured"/> and
    /// <see cref="OnReady"/>, or <see cref="OnNotSecured"/>. Time is the owner's to limit.
    /// </summary>
    protected void AcceptSecurely(TlsAcceptor context)
    {
        _tls = TlsSession.Accept(context, Fd);
        _isLayered = true;
    }

    /// <summary>TLS from now on, as the client, on a socket that is connected.</summary>
    /// <param name="context">Who we are and whom we trust.</param>
    /// <param name="name">Name that the peer's certificate must be for.</param>
    /// <param name="resumption">Sessions with this peer; null: none is resumed.</param>
    protected void ConnectSecurely(TlsContext context, string name, TlsResumption? resumption)
    {
        _tls = TlsSession.Connect(context, Fd, name, resumption);
        _isLayered = true;
        ContinueHandshake();
    }

    /// <summary>The handshake is over; the peer is who its certificate says.</summary>
    protected virtual void OnSecured()
    {
    }

    /// <summary>The handshake has failed; the peer has been told why. Closes, unless overridden.</summary>
    /// <param name="reason">Why, in OpenSSL's words.</param>
    protected virtual void OnNotSecured(string reason) => Close();

    /// <summary>Keeps the TLS session, so that the next connection to this peer costs less.</summary>
    protected void RememberSession() => _tls?.Remember();

    private int ReceiveSecurely(Span<byte> destination)
    {
        fixed (byte* data = destination)
        {
            var received = _tls!.Read(data, destination.Length);
            switch (received)
            {
                case SocketResult.WouldBlock:
                    CanReceive = false;
                    break;
                case SocketResult.Closed:
                    _hungUp = true;
                    break;
                case SocketResult.Failed:
                    _hungUp = IsBroken = true;
                    break;
                default:
                    CanReceive = _hungUp || _tls.MayHaveMore;
                    break;
            }

            return received;
        }
    }

    private int SendSecurely(ReadOnlySpan<byte> source)
    {
        var total = 0;
        fixed (byte* data = source)
        {
            while (total < source.Length)
            {
                var sent = _tls!.Write(data + total, source.Length - total);
                if (sent < 0)
                {
                    // What has broken tells so at once: no event might come that lets it be found out later.
                    CanSend &= sent != SocketResult.WouldBlock;
                    return sent == SocketResult.WouldBlock && total > 0 ? total : sent;
                }

                total += sent;
            }
        }

        return total;
    }

    // A head and what follows it go into one record: a copy costs less than a second record and a second call.
    private int SendSecurely(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        if (first.Length >= BufferPool.Small)
        {
            return SendSecurely(first);
        }

        var joined = Loop.Buffers.Rent();
        joined.Append(first);
        joined.Append(second[..Math.Min(second.Length, BufferPool.Small - first.Length)]);
        var length = joined.Length;
        var sent = SendSecurely(joined.Data);
        Loop.Buffers.Return(joined);
        if (sent < length || length == first.Length + second.Length)
        {
            return sent;
        }

        var rest = SendSecurely(second[(length - first.Length)..]);
        return rest == SocketResult.Failed ? rest : sent + Math.Max(rest, 0);
    }

    private void OnSecureEvents(uint events)
    {
        const uint ended = LibC.EpollHangUp | LibC.EpollError;
        var bytes = (events & (LibC.EpollIn | LibC.EpollReadHangUp | ended)) != 0;
        var room = (events & (LibC.EpollOut | ended)) != 0;
        _tls!.Ready(bytes, room, _hungUp);
        if (!_tls.IsEstablished)
        {
            ContinueHandshake();
            return;
        }

        CanReceive |= room && _tls.ReadWantsRoom;
        CanSend |= bytes && _tls.WriteWantsBytes;
        if (room && _tls.EndWantsRoom)
        {
            EndSending();
        }

        OnReady();
    }

    private void ContinueHandshake()
    {
        switch (_tls!.Handshake())
        {
            case HandshakeStatus.Done:
                // What follows the handshake may have come with it.
                CanReceive = CanSend = true;
                OnSecured();
                if (IsOpen)
                {
                    OnReady();
                }

                break;
            case HandshakeStatus.Failed:
                OnNotSecured(_tls.Failure);
                break;
        }
    }

    private void EndSession(bool inOrder)
    {
        if (inOrder && !_tls!.IsEnding)
        {
            _tls.End();
        }

        _tls!.Dispose();
    }
}
