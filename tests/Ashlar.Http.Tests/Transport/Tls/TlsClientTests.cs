using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Ashlar.Errors;
using Ashlar.Http.Transport;
using Ashlar.Http.Transport.Tls;
using Ashlar.Http.Upstream;
using Ashlar.Testing;

namespace Ashlar.Http.Tests.Transport.Tls;

/// <summary>What our side does with servers of other makes: pooled connections over TLS.</summary>
public sealed class TlsClientTests
{
    [Fact]
    public async Task A_kept_connection_is_used_again_and_a_new_one_resumes_the_session()
    {
        await using var rig = await TlsRig.StartAsync();
        await using var server = new SslEcho(rig.Folder("server"));
        using var tls = TlsContext.ForClient(TlsFiles.OfMachine(rig.Folder("client")));
        var pool = new UpstreamPool(rig.Loop, new UpstreamOptions());
        var peer = new SecurePeer("server", server.EndPoint, tls);

        var first = await AskAsync(rig, pool, peer, giveBack: true);
        var second = await AskAsync(rig, pool, peer, giveBack: false);
        var third = await AskAsync(rig, pool, peer, giveBack: false);

        Assert.Equal(("hello", false, "TLSv1.3", false), first);
        Assert.Equal(("hello", true, "TLSv1.3", false), second);
        Assert.Equal("hello", third.Answer);
        Assert.False(third.Reused);
        Assert.True(third.Resumed);
        await rig.OnLoopAsync(() =>
        {
            pool.Forget(peer);
            return 0;
        });
    }

    [Fact]
    public async Task What_TLS_says_of_its_own_does_not_end_a_kept_connection()
    {
        await using var rig = await TlsRig.StartAsync();
        using var tls = TlsContext.ForClient(TlsFiles.OfMachine(rig.Folder("client")));
        var pool = new UpstreamPool(rig.Loop, new UpstreamOptions());
        var peer = new SecurePeer("server", new IPEndPoint(IPAddress.Loopback, rig.Port), tls);

        // Given back unused: the ticket comes to an idle connection.
        var user = new User();
        await rig.OnLoopAsync(() => pool.Connect(peer, user, out user.Connection));
        Assert.Equal("connected", await user.NextAsync());
        await rig.OnLoopAsync(() =>
        {
            user.Connection!.GiveBack(reusable: true);
            return 0;
        });
        var asked = await AskAsync(rig, pool, peer, giveBack: true);

        Assert.True(asked.Reused);
        Assert.Equal("hello", asked.Answer);
    }

    [Fact]
    public async Task Another_machine_than_the_one_meant_is_refused()
    {
        await using var rig = await TlsRig.StartAsync();
        rig.Authority.Issue(rig.Folder("other"), "other");
        rig.Authority.Issue(rig.Folder("late"), "server", daysLeft: -1);
        using var stranger = new TestAuthority("another");
        stranger.Issue(rig.Folder("stranger"), "server");
        using var tls = TlsContext.ForClient(TlsFiles.OfMachine(rig.Folder("client")));

        Assert.Equal("hostname mismatch", await RefusedAsync("other"), ignoreCase: true);
        Assert.Contains("certificate", await RefusedAsync("stranger"));
        Assert.Equal("certificate has expired", await RefusedAsync("late"));

        async Task<string> RefusedAsync(string identity)
        {
            await using var server = new SslEcho(rig.Folder(identity));
            var reason = new TaskCompletionSource<string>();
            var pool = new UpstreamPool(rig.Loop, new UpstreamOptions());
            var user = new User();
            await rig.OnLoopAsync(() => pool.Connect(new SecurePeer("server", server.EndPoint, tls) { NotSecured = reason.SetResult, ConnectTimeout = TlsRig.Patience }, user, out user.Connection));
            Assert.Equal("failed", await user.NextAsync());
            return await reason.Task.WaitAsync(TlsRig.Patience);
        }
    }

    [Fact]
    public async Task Who_listens_and_does_not_answer_is_given_up()
    {
        await using var rig = await TlsRig.StartAsync();
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen(1);
        using var tls = TlsContext.ForClient(TlsFiles.OfMachine(rig.Folder("client")));
        var pool = new UpstreamPool(rig.Loop, new UpstreamOptions());
        var user = new User();
        var peer = new SecurePeer("server", (IPEndPoint)silent.LocalEndPoint!, tls) { ConnectTimeout = TimeSpan.FromMilliseconds(100) };

        Assert.Equal(ConnectStatus.Connecting, await rig.OnLoopAsync(() => pool.Connect(peer, user, out user.Connection)));
        Assert.Equal("failed", await user.NextAsync());
    }

    [Fact]
    public async Task OpenSSLs_server_is_understood()
    {
        await using var rig = await TlsRig.StartAsync();
        var port = Ports.Free();
        using var server = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("openssl",
            ["s_server", "-accept", $"127.0.0.1:{port}", "-cert", rig.FileOf("server", "machine.crt"), "-key", rig.FileOf("server", "machine.key"),
                "-CAfile", rig.FileOf("server", "authority.crt"), "-Verify", "1", "-verify_return_error", "-rev"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            await server.StandardOutput.ReadLineAsync().WaitAsync(TlsRig.Patience);
            using var tls = TlsContext.ForClient(TlsFiles.OfMachine(rig.Folder("client")));
            var pool = new UpstreamPool(rig.Loop, new UpstreamOptions());
            var peer = new SecurePeer("server", new IPEndPoint(IPAddress.Loopback, port), tls);
            var asked = await AskAsync(rig, pool, peer, giveBack: false, say: "hello\n");
            Assert.Equal("olleh\n", asked.Answer);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task Files_that_do_not_belong_together_are_named()
    {
        await using var rig = await TlsRig.StartAsync();
        var files = TlsFiles.OfMachine(rig.Folder("client"));
        var missing = Assert.Throws<AshlarException>(() => TlsContext.ForServer(files with { Certificate = "/nowhere/machine.crt" }));
        Assert.Equal("ASH3049", missing.Error.Code);
        Assert.Contains("/nowhere/machine.crt: there is no such file", missing.Error.Message);
        var mixed = Assert.Throws<AshlarException>(() => TlsContext.ForServer(files with { Key = rig.FileOf("server", "machine.key") }));
        Assert.Contains("key values mismatch", mixed.Error.Message);
    }

    [Fact]
    public async Task Files_are_read_anew_and_open_connections_go_on()
    {
        await using var rig = await TlsRig.StartAsync();
        await using var before = await rig.ConnectAsync();
        Assert.False(rig.Server.ReloadIfChanged());
        rig.Authority.Issue(rig.Folder("server"), "renewed-server");
        Assert.True(rig.Server.ReloadIfChanged());
        await using var after = await rig.ConnectAsync();

        Assert.Equal("CN=server", before.RemoteCertificate!.Subject);
        Assert.Equal("CN=renewed-server", after.RemoteCertificate!.Subject);
        await before.WriteAsync("x"u8.ToArray());
        Assert.Equal('x', before.ReadByte());

        File.WriteAllText(rig.FileOf("server", "machine.key"), "no key");
        Assert.Throws<AshlarException>(() => rig.Server.ReloadIfChanged());
        await using var still = await rig.ConnectAsync();
        Assert.Equal("CN=renewed-server", still.RemoteCertificate!.Subject);
    }

    private static async Task<(string Answer, bool Reused, string Version, bool Resumed)> AskAsync(
        TlsRig rig, UpstreamPool pool, SecurePeer peer, bool giveBack, string say = "hello")
    {
        var user = new User { Expect = say.Length };
        await rig.OnLoopAsync(() =>
        {
            if ((user.Connection = pool.Take(peer, user, mustBeQuiet: true)) is not null)
            {
                user.Told.TryAdd("connected");
                return ConnectStatus.Connected;
            }

            return pool.Connect(peer, user, out user.Connection);
        });
        Assert.Equal("connected", await user.NextAsync());
        var connection = user.Connection!;
        await rig.OnLoopAsync(() => connection.Send(Encoding.ASCII.GetBytes(say)));
        var answer = await user.NextAsync();
        return await rig.OnLoopAsync(() =>
        {
            var result = (answer, connection.IsReused, connection.TlsVersion, connection.IsResumed);
            connection.GiveBack(giveBack);
            return result;
        });
    }

    private sealed class User : IUpstreamUser
    {
        private readonly byte[] _received = new byte[100];
        private int _length;

        public UpstreamConnection? Connection;

        public int Expect { get; init; }

        public System.Collections.Concurrent.BlockingCollection<string> Told { get; } = [];

        public Task<string> NextAsync() => Task.Run(() => Told.TryTake(out var next, TlsRig.Patience) ? next : "nothing");

        public void OnUpstreamConnected() => Told.Add("connected");

        public void OnUpstreamConnectFailed(bool refused) => Told.Add(refused ? "refused" : "failed");

        public void OnUpstreamFault() => Told.Add("fault");

        public void OnUpstreamReady()
        {
            while (Connection is { CanReceive: true })
            {
                var received = Connection.Receive(_received.AsSpan(_length));
                if (received is SocketResult.Closed or SocketResult.Failed)
                {
                    Told.Add(received == SocketResult.Closed ? "closed" : "cut off");
                    return;
                }

                _length += Math.Max(received, 0);
                if (_length > 0 && _length == Expect)
                {
                    Told.Add(Encoding.ASCII.GetString(_received, 0, _length));
                }
            }
        }
    }

    /// <summary>A server by .NET's own TLS that sends back what it gets.</summary>
    private sealed class SslEcho : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly SslStreamCertificateContext _certificate;

        public SslEcho(string identity)
        {
            _certificate = SslStreamCertificateContext.Create(TestAuthority.Load(identity), null, offline: true);
            _listener.Start();
            _ = AcceptAsync();
        }

        public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

        public ValueTask DisposeAsync()
        {
            _listener.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = EchoAsync(await _listener.AcceptTcpClientAsync());
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
            }
        }

        private async Task EchoAsync(TcpClient client)
        {
            using (client)
            {
                try
                {
                    await using var stream = new SslStream(client.GetStream());
                    await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                    {
                        ServerCertificateContext = _certificate,
                        ClientCertificateRequired = true,
                        RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
                    });
                    await stream.CopyToAsync(stream);
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                }
            }
        }
    }
}
