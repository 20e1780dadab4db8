using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Testing;

namespace Ashlar.Http.Tests.Transport.Tls;

/// <summary>What our side of TLS does with clients of other makes, good and bad.</summary>
public sealed class TlsServerTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12, "TLSv1.2")]
    [InlineData(SslProtocols.None, "TLSv1.3")]
    public async Task The_peer_is_known_by_the_name_in_its_certificate(SslProtocols offered, string version)
    {
        await using var rig = await TlsRig.StartAsync();
        await using var client = await rig.ConnectAsync("client", offered);

        Assert.Equal($"client {version}", rig.Echo.NextSecured());
        Assert.Equal("hello", await EchoAsync(client, "hello"));
        await client.ShutdownAsync();
        Assert.Equal("closed", rig.Echo.NextEnd());
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.None)]
    public async Task Large_bodies_flow_both_ways_past_a_reader_that_is_slow(SslProtocols offered)
    {
        await using var rig = await TlsRig.StartAsync();
        await using var client = await rig.ConnectAsync("client", offered);
        var sent = RandomNumberGenerator.GetBytes(8 * 1024 * 1024);
        var sending = client.WriteAsync(sent).AsTask();
        await Task.WhenAny(sending, Task.Delay(100)); // everything in between fills up

        var received = new byte[sent.Length];
        await client.ReadExactlyAsync(received).AsTask().WaitAsync(TlsRig.Patience);
        await sending;

        Assert.True(sent.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task Bytes_that_dribble_one_by_one_make_a_whole()
    {
        await using var rig = await TlsRig.StartAsync();
        await using var proxy = new ByteProxy(rig.Port, pieces: () => 1);
        await using var client = await rig.ConnectAsync(port: proxy.Port);

        Assert.Equal(new string('x', 3000), await EchoAsync(client, new string('x', 3000)));
    }

    [Fact]
    public async Task An_end_that_was_announced_is_told_from_one_that_was_not()
    {
        await using var rig = await TlsRig.StartAsync();
        var polite = await rig.ConnectAsync();
        await polite.ShutdownAsync();
        Assert.Equal("closed", rig.Echo.NextEnd());
        await polite.DisposeAsync();

        using var socket = await rig.ConnectPlainAsync();
        var cut = new SslStream(new NetworkStream(socket));
        await cut.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "server",
            ClientCertificates = [TestAuthority.Load(rig.Folder("client"))],
            RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
        });
        Assert.Equal("x", await EchoAsync(cut, "x"));
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("cut off", rig.Echo.NextEnd());
    }

    [Fact]
    public async Task OpenSSLs_client_talks_and_resumes()
    {
        await using var rig = await TlsRig.StartAsync();
        var session = rig.FileOf("client", "session.pem");
        var first = await rig.OpenSslAsync("hello\n", "-sess_out", session, "-ign_eof", "-quiet", "-no_ign_eof");
        Assert.True(first.ExitCode == 0, first.ToString());
        Assert.Equal("client TLSv1.3", rig.Echo.NextSecured());

        // The ticket comes with the first read, so a client that leaves at once may have none: .NET's resumes too.
        await using (var client = await rig.ConnectAsync())
        {
            Assert.Equal("x", await EchoAsync(client, "x"));
        }

        Assert.StartsWith("client", rig.Echo.NextSecured());
        await using (var client = await rig.ConnectAsync("client", SslProtocols.Tls12))
        {
            Assert.Equal("x", await EchoAsync(client, "x"));
        }
    }

    [Fact]
    public async Task Renegotiation_is_refused()
    {
        await using var rig = await TlsRig.StartAsync();
        var result = await rig.OpenSslAsync("R\n", "-tls1_2");

        Assert.Contains("RENEGOTIATING", result.ToString());
        Assert.Contains("no renegotiation", result.ToString());
    }

    [Fact]
    public async Task Old_versions_are_refused()
    {
        await using var rig = await TlsRig.StartAsync();
        var result = await rig.OpenSslAsync("", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Matches("not secured: .*(unsupported protocol|version)", rig.Echo.NextEnd());
    }

    [Fact]
    public async Task Who_has_no_certificate_of_the_authority_is_refused_with_the_reason()
    {
        await using var rig = await TlsRig.StartAsync();
        using var stranger = new TestAuthority("another");
        stranger.Issue(rig.Folder("stranger"), "client");
        rig.Authority.Issue(rig.Folder("late"), "client", daysLeft: -1);

        Assert.Contains("peer did not return a certificate", await RefusedAsync(null));
        Assert.Contains("certificate", await RefusedAsync("stranger"));
        Assert.Contains("certificate has expired", await RefusedAsync("late"));

        async Task<string> RefusedAsync(string? identity)
        {
            // In TLS 1.3 a client learns of it only when it reads.
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                await using var client = await rig.ConnectAsync(identity);
                Assert.NotEqual("x", await EchoAsync(client, "x"));
            });
            return rig.Echo.NextEnd();
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("\u0016\u0003\u0001\u0000\u0005hello")]
    [InlineData("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    public async Task What_is_no_TLS_is_closed(string garbage)
    {
        await using var rig = await TlsRig.StartAsync();
        using var client = await rig.ConnectPlainAsync();
        await client.SendAsync(Encoding.Latin1.GetBytes(garbage));
        var answer = new MemoryStream();
        var buffer = new byte[1000];
        int received;
        while ((received = await client.ReceiveAsync(buffer)) > 0)
        {
            answer.Write(buffer, 0, received);
        }

        Assert.StartsWith("not secured: ", rig.Echo.NextEnd());
        Assert.True(answer.Length <= 7, $"{answer.Length} bytes"); // at most an alert
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_midst_of_the_handshake_leaves_nothing_behind()
    {
        await using var rig = await TlsRig.StartAsync();
        using (var client = await rig.ConnectPlainAsync())
        {
            await client.SendAsync(new byte[] { 0x16, 3, 1, 2, 0, 1, 0, 1 });
        }

        using (var client = await rig.ConnectPlainAsync())
        {
            await client.SendAsync(new byte[] { 0x16, 3, 1, 2, 0, 1, 0, 1 });
            client.LingerState = new LingerOption(true, 0);
        }

        Assert.StartsWith("not secured: ", rig.Echo.NextEnd());
        Assert.StartsWith("not secured: ", rig.Echo.NextEnd());
        Assert.Equal(0, rig.Echo.Open);
    }

    private static async Task<string> EchoAsync(SslStream stream, string text)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text));
        var answer = new byte[text.Length];
        await stream.ReadExactlyAsync(answer).AsTask().WaitAsync(TlsRig.Patience);
        return Encoding.ASCII.GetString(answer);
    }
}
