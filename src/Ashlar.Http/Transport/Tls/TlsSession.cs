using System.Runtime.InteropServices;
using System.Text;

namespace Ashlar.Http.Transport.Tls;

/// <summary>How a step of a handshake went.</summary>
internal enum HandshakeStatus
{
    Done,
    Again,
    Failed,
}

/// <summary>
/// TLS on one socket. Reads and writes answer as a plain socket's do (<see cref="SocketResult"/>); which events they wait for is
/// kept here. No call blocks, and none allocates.
/// </summary>
internal sealed unsafe class TlsSession : IDisposable
{
    private const int LongestName = 256;

    private readonly SocketState* _socket;
    private readonly TlsResumption? _resumption;
    private readonly int _generation;
    private nint _ssl;
    private bool _isBroken;
    private bool _isRemembered;
    private bool _hasHeard;

    private TlsSession(TlsAcceptor context, int fd, TlsResumption? resumption)
    {
        _ssl = context.NewSession(out _generation);
        if (_ssl == 0)
        {
            throw new InvalidOperationException("OpenSSL gives no session: no memory is left.");
        }

        _resumption = resumption;
        _socket = (SocketState*)NativeMemory.AllocZeroed((nuint)sizeof(SocketState));
        _socket->Fd = fd;
        var bio = SocketBio.Over(_socket);
        OpenSsl.SetBio(_ssl, bio, bio);
    }

    /// <summary>The handshake is over, and nothing has broken since.</summary>
    public bool IsEstablished { get; private set; }

    /// <summary>A receive has to wait for room to send first.</summary>
    public bool ReadWantsRoom { get; private set; }

    /// <summary>A send has to wait for bytes of the peer first.</summary>
    public bool WriteWantsBytes { get; private set; }

    /// <summary>Our end has been told, or is about to be.</summary>
    public bool IsEnding { get; private set; }

    /// <summary>Our end is still to be told, when there is room.</summary>
    public bool EndWantsRoom { get; private set; }

    /// <summary>Common name in the peer's certificate; null before the handshake's end, or if it showed none.</summary>
    public string? PeerName { get; private set; }

    /// <summary>
    /// The peer has refused our certificate. In TLS 1.3 a client learns of it only after its handshake's end; the peer's has never ended, so it
    /// has read nothing of what was sent.
    /// </summary>
    public bool IsRefused { get; private set; }

    /// <summary>Why it failed, in OpenSSL's words.</summary>
    public string Failure { get; private set; } = "";

    /// <summary>True: a session of before was resumed.</summary>
    public bool IsResumed => OpenSsl.IsResumed(_ssl) == 1;

    /// <summary><c>TLSv1.3</c>.</summary>
    public string Version => OpenSsl.Text(OpenSsl.VersionOf(_ssl));

    /// <summary>Name that the client has asked for; null: none.</summary>
    public string? ServerName => TlsFront.NameOf(_ssl);

    /// <summary>True: HTTP/2 was agreed on.</summary>
    public bool IsHttp2
    {
        get
        {
            byte* name;
            uint length;
            OpenSsl.ProtocolOf(_ssl, &name, &length);
            return length == 2 && name[0] == 'h' && name[1] == '2';
        }
    }

    /// <summary>Another read may find something without an event before it.</summary>
    public bool MayHaveMore => !_socket->IsDrained || OpenSsl.HasPending(_ssl) != 0;

    public static TlsSession Accept(TlsAcceptor context, int fd)
    {
        var session = new TlsSession(context, fd, null);
        OpenSsl.BeServer(session._ssl);
        return session;
    }

    public static TlsSession Connect(TlsContext context, int fd, string name, TlsResumption? resumption)
    {
        var session = new TlsSession(context, fd, resumption);
        OpenSsl.BeClient(session._ssl);
        OpenSsl.SetHostFlags(session._ssl, OpenSsl.HostNoWildcards | OpenSsl.HostNeverSubject);
        if (OpenSsl.SetHost(session._ssl, name) != 1 || OpenSsl.Control(session._ssl, OpenSsl.ControlHostName, 0, name) != 1)
        {
            session.Dispose();
            throw new InvalidOperationException($"TLS cannot ask for the name {name}.");
        }

        resumption?.Offer(session._ssl, session._generation);
        return session;
    }

    /// <summary>Takes note of what the kernel says is possible.</summary>
    public void Ready(bool bytes, bool room, bool hungUp)
    {
        _socket->HasHungUp |= hungUp;
        _socket->IsDrained &= !(bytes || hungUp);
        _socket->IsFull &= !room;
    }

    /// <summary>Goes on with the handshake.</summary>
    public HandshakeStatus Handshake()
    {
        OpenSsl.ClearErrors();
        var result = OpenSsl.Handshake(_ssl);
        if (result == 1)
        {
            IsEstablished = true;
            PeerName = ReadPeerName();
            return HandshakeStatus.Done;
        }

        if (OpenSsl.ErrorOf(_ssl, result) is OpenSsl.ErrorWantRead or OpenSsl.ErrorWantWrite)
        {
            return HandshakeStatus.Again;
        }

        Break();
        return HandshakeStatus.Failed;
    }

    public int Read(byte* to, int length)
    {
        if (_ssl == 0)
        {
            return SocketResult.Failed;
        }

        OpenSsl.ClearErrors();
        var received = OpenSsl.Read(_ssl, to, length);
        if (received > 0)
        {
            _hasHeard = true;
            return received;
        }

        switch (OpenSsl.ErrorOf(_ssl, received))
        {
            case OpenSsl.ErrorWantRead:
                ReadWantsRoom = false;
                return SocketResult.WouldBlock;
            case OpenSsl.ErrorWantWrite:
                ReadWantsRoom = true;
                return SocketResult.WouldBlock;
            case OpenSsl.ErrorZeroReturn:
                return SocketResult.Closed;
            default:
                // Also an end of the stream that the peer has not announced: somebody may have cut it short.
                Break();
                return SocketResult.Failed;
        }
    }

    /// <summary>Sends one record of at most 16 KiB. What would block must be given again, with the same bytes at its beginning.</summary>
    public int Write(byte* from, int length)
    {
        if (_ssl == 0)
        {
            return SocketResult.Failed;
        }

        OpenSsl.ClearErrors();
        var sent = OpenSsl.Write(_ssl, from, length);
        if (sent > 0)
        {
            return sent;
        }

        switch (OpenSsl.ErrorOf(_ssl, sent))
        {
            case OpenSsl.ErrorWantWrite:
                WriteWantsBytes = false;
                return SocketResult.WouldBlock;
            case OpenSsl.ErrorWantRead:
                WriteWantsBytes = true;
                return SocketResult.WouldBlock;
            default:
                Break();
                return SocketResult.Failed;
        }
    }

    /// <summary>True if the peer has neither closed nor sent anything that a read would give; asked of the kernel now.</summary>
    public bool IsQuiet()
    {
        byte probe;
        _socket->IsDrained = false;
        OpenSsl.ClearErrors();
        var seen = OpenSsl.Peek(_ssl, &probe, 1);
        return seen <= 0 && OpenSsl.ErrorOf(_ssl, seen) == OpenSsl.ErrorWantRead;
    }

    /// <summary>Tells the peer that nothing more comes. False: there is no room now; call again when there is.</summary>
    public bool End()
    {
        // A second call, once the end has been told, would begin to read.
        var isTold = IsEnding && !EndWantsRoom;
        IsEnding = true;
        if (isTold || !IsEstablished || _isBroken)
        {
            return true;
        }

        OpenSsl.ClearErrors();
        var result = OpenSsl.Shutdown(_ssl);
        EndWantsRoom = result < 0 && OpenSsl.ErrorOf(_ssl, result) == OpenSsl.ErrorWantWrite;
        return !EndWantsRoom;
    }

    /// <summary>Keeps the session for the next connection to this peer, once the peer has sent a ticket.</summary>
    public void Remember()
    {
        if (!_isRemembered && _resumption is not null && IsEstablished && !_isBroken)
        {
            _isRemembered = true;
            _resumption.Keep(_ssl, _generation);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_ssl == 0)
        {
            return;
        }

        Remember();
        if (IsEstablished && !_isBroken)
        {
            // Otherwise a connection that ends without ceremony takes its session with it.
            OpenSsl.SetShutdown(_ssl, OpenSsl.ShutdownBoth);
        }

        OpenSsl.Free(_ssl);
        _ssl = 0;
        NativeMemory.Free(_socket);
    }

    private void Break()
    {
        if (_isBroken)
        {
            return;
        }

        _isBroken = true;
        IsRefused = IsEstablished && !_hasHeard && OpenSsl.IsCertificateRefused();
        var verified = OpenSsl.VerifyResult(_ssl);
        var reason = OpenSsl.TakeError();
        Failure = verified != 0 ? OpenSsl.Text(OpenSsl.VerifyText(verified))
            : reason.Length > 0 ? reason
            : _socket->IsAtEnd ? "the peer has closed the connection" : "the connection is broken";
    }

    private string? ReadPeerName()
    {
        var certificate = OpenSsl.PeerCertificate(_ssl);
        if (certificate == 0)
        {
            return null;
        }

        var text = stackalloc byte[LongestName];
        var length = OpenSsl.TextOf(OpenSsl.SubjectOf(certificate), OpenSsl.CommonName, text, LongestName);

        // A name with a NUL in it is cut short by who reads it in C.
        return length <= 0 || new ReadOnlySpan<byte>(text, length).Contains((byte)0) ? null : Encoding.UTF8.GetString(text, length);
    }
}
