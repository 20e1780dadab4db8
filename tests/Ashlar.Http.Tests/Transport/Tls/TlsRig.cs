using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Ashlar.Http.Transport;
using Ashlar.Http.Transport.Tls;
using Ashlar.Testing;

namespace Ashlar.Http.Tests.Transport.Tls;

/// <summary>A server of ours that speaks TLS and sends back what it gets, and peers of other makes.</summary>
internal sealed class TlsRig : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempFolder _folder = new();
    private readonly ConcurrentQueue<Exception> _faults = [];
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly EventLoopGroup _group;

    private TlsRig()
    {
        Authority.Issue(Folder("server"), "server");
        Authority.Issue(Folder("client"), "client");
        Server = TlsContext.ForServer(TlsFiles.OfMachine(Folder("server")));
        _group = new EventLoopGroup(1, _faults.Enqueue);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
    }

    public TestAuthority Authority { get; } = new();

    public TlsContext Server { get; }

    public EchoAcceptor Echo { get; private set; } = null!;

    public EventLoop Loop => _group.Loops[0];

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public static async Task<TlsRig> StartAsync()
    {
        var rig = new TlsRig();
        rig.Echo = new EchoAcceptor(rig.Server);
        await rig._group.ListenAsync((int)rig._listener.Handle, rig.Echo, "tag");
        return rig;
    }

    public string Folder(string name) => Path.Combine(_folder.Path, name);

    public string FileOf(string name, string file) => Path.Combine(_folder.Path, name, file);

    public async Task<Socket> ConnectPlainAsync(int? port = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port ?? Port));
        return socket;
    }

    /// <summary>.NET's own TLS, with the identity in a folder; null: with none.</summary>
    public async Task<SslStream> ConnectAsync(
        string? identity = "client", SslProtocols versions = SslProtocols.None, int? port = null, TimeSpan? patience = null)
    {
        var stream = new SslStream(new NetworkStream(await ConnectPlainAsync(port), ownsSocket: true));
        try
        {
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "server",
                EnabledSslProtocols = versions,
                ClientCertificateContext = identity is null ? null : SslStreamCertificateContext.Create(TestAuthority.Load(Folder(identity)), null, offline: true),
                RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
            }).WaitAsync(patience ?? Patience);
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>OpenSSL's own client, with <paramref name="input"/> as what it sends.</summary>
    public Task<ProgramResult> OpenSslAsync(string input, params string[] arguments) => ProgramRun.RunAsync(
        "openssl",
        ["s_client", "-connect", $"127.0.0.1:{Port}", "-CAfile", FileOf("client", "authority.crt"), "-verify_return_error", "-servername", "server",
            "-cert", FileOf("client", "machine.crt"), "-key", FileOf("client", "machine.key"), .. arguments],
        input: input,
        timeoutSeconds: 60);

    public Task<T> OnLoopAsync<T>(Func<T> action)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.Post(() =>
        {
            try
            {
                done.SetResult(action());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task.WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await _group.DisposeAsync();
        Server.Dispose();
        Authority.Dispose();
        _listener.Dispose();
        _folder.Dispose();
        Assert.Empty(_faults);
    }
}

/// <summary>Makes connections that send back what they get, and remembers how each ended.</summary>
internal sealed class EchoAcceptor(TlsContext tls) : IConnectionAcceptor
{
    private int _open;

    public BlockingCollection<string> Ended { get; } = [];

    public BlockingCollection<string> Secured { get; } = [];

    public int Open => Volatile.Read(ref _open);

    public void CannotAccept(object tag, int error) => Assert.Fail($"errno {error}");

    public void Accept(EventLoop loop, int fd, IPAddress peer, object tag) => new EchoConnection(this, loop, fd).Begin(tls);

    /// <summary>How the next connection to end has ended.</summary>
    public string NextEnd() => Ended.TryTake(out var end, TlsRig.Patience) ? end : throw new TimeoutException("No connection has ended.");

    public string NextSecured() => Secured.TryTake(out var name, TlsRig.Patience) ? name : throw new TimeoutException("No handshake has ended.");

    private sealed class EchoConnection(EchoAcceptor acceptor, EventLoop loop, int fd) : SocketConnection(loop, fd)
    {
        private readonly byte[] _buffer = new byte[BufferPool.Large];
        private int _start;
        private int _end;
        private string _how = "closed by us";

        public void Begin(TlsContext tls)
        {
            Interlocked.Increment(ref acceptor._open);
            AcceptSecurely(tls);
            Open();
        }

        protected override void OnSecured() => acceptor.Secured.Add($"{PeerName} {TlsVersion}{(IsResumed ? " resumed" : "")}");

        protected override void OnNotSecured(string reason)
        {
            _how = $"not secured: {reason}";
            Close();
        }

        protected override void OnReady()
        {
            while (IsOpen)
            {
                if (_start < _end)
                {
                    if (!CanSend)
                    {
                        return;
                    }

                    // In two pieces, as a head and a body are sent.
                    var waiting = _buffer.AsSpan(_start, _end - _start);
                    var sent = waiting.Length > 100 ? Send(waiting[..100], waiting[100..]) : Send(waiting);
                    if (sent == SocketResult.Failed)
                    {
                        _how = "send failed";
                        Abort();
                        return;
                    }

                    _start += Math.Max(sent, 0);
                    continue;
                }

                if (!CanReceive)
                {
                    return;
                }

                (_start, _end) = (0, 0);
                var received = Receive(_buffer);
                if (received is SocketResult.Closed or SocketResult.Failed)
                {
                    _how = received == SocketResult.Closed ? "closed" : "cut off";
                    Close();
                    return;
                }

                _end = Math.Max(received, 0);
            }
        }

        protected override void OnClosed()
        {
            Interlocked.Decrement(ref acceptor._open);
            acceptor.Ended.Add(_how);
        }
    }
}
