using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Ashlar.Catalog;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Stack;
using Ashlar.Http.Transport.Tls;

namespace Ashlar.Edge.Tests.Certificates;

/// <summary>What a client of the TLS listener gets: certificates, protocols, redirects.</summary>
public sealed class TlsListenerTests
{
    [Theory]
    [InlineData("a.test", "a.test")]
    [InlineData("B.Test", "b.test")]
    [InlineData("x.wild.test", "*.wild.test")]
    [InlineData("nobody.test", "a.test")]
    [InlineData(null, "a.test")]
    public async Task The_certificate_is_that_of_the_name_asked_for(string? asked, string shown)
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var rig = await TlsRig.StartAsync(app, null, "a.test", "b.test", "*.wild.test");
        await using var stream = await rig.HandshakeAsync(asked);
        Assert.Equal($"CN={shown}", stream.RemoteCertificate!.Subject);
    }

    [Fact]
    public async Task A_new_certificate_serves_without_a_restart_and_open_connections_go_on()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client(HttpVersion.Version11);
        Assert.Equal("hello", await client.GetStringAsync(rig.Secure()));
        var before = await SerialAsync(rig);

        rig.Show("app.test");
        rig.Front.RenewTicketKeys();

        Assert.NotEqual(before, await SerialAsync(rig));
        Assert.Equal("hello", await client.GetStringAsync(rig.Secure()));
    }

    [Fact]
    public async Task What_cannot_be_used_is_told_and_the_others_serve()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var rig = await TlsRig.StartAsync(app);
        var good = rig.Certificate("good.test");
        var errors = rig.Front.Use([new TlsCertificate("/nonexistent.pem", ["other.test"]), good]);
        Assert.Equal("ASH3049", Assert.Single(errors).Code);
        await using var stream = await rig.HandshakeAsync("other.test");
        Assert.Equal("CN=good.test", stream.RemoteCertificate!.Subject);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("empty")]
    [InlineData("cut off")]
    [InlineData("another key")]
    public async Task Where_the_next_certificate_cannot_be_used_the_last_good_one_goes_on_until_it_can(string fault)
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var rig = await TlsRig.StartAsync(app);
        var before = await SerialAsync(rig);
        var next = rig.Certificate("app.test");
        var pem = await File.ReadAllTextAsync(next.Path);
        var other = await File.ReadAllTextAsync(rig.Certificate("app.test").Path);
        const string end = "-----END PRIVATE KEY-----";
        File.Delete(next.Path);
        if (fault != "missing")
        {
            await File.WriteAllTextAsync(next.Path, fault switch { "empty" => "", "cut off" => pem[..^60], _ => other.Split(end)[0] + end + pem.Split(end)[1] });
        }

        var error = Assert.Single(rig.Front.Use([next]));
        Assert.Equal("ASH3049", error.Code);
        Assert.Contains(next.Path, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, await SerialAsync(rig));

        await File.WriteAllTextAsync(next.Path, pem);
        Assert.Empty(rig.Front.Use([next]));
        Assert.NotEqual(before, await SerialAsync(rig));
    }

    [Fact]
    public async Task Each_client_gets_the_protocol_that_it_offers_and_both_know()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var rig = await TlsRig.StartAsync(app);
        await using (var both = await rig.HandshakeAsync("app.test", SslApplicationProtocol.Http11, SslApplicationProtocol.Http2))
        {
            Assert.Equal(SslApplicationProtocol.Http2, both.NegotiatedApplicationProtocol);
        }

        await using (var one = await rig.HandshakeAsync("app.test", SslApplicationProtocol.Http11))
        {
            Assert.Equal(SslApplicationProtocol.Http11, one.NegotiatedApplicationProtocol);
        }

        await Assert.ThrowsAnyAsync<Exception>(() => rig.HandshakeAsync("app.test", new SslApplicationProtocol("ftp")));
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task The_app_is_told_that_its_client_speaks_TLS(string version)
    {
        await using var app = ScriptedApp.Answering(static (head, _) => $"HTTP/1.1 200 OK\r\nContent-Length: {head.Length}\r\n\r\n{head}");
        await using var rig = await TlsRig.StartAsync(app);
        using var client = rig.Client(Version.Parse(version));
        var seen = await client.GetStringAsync(rig.Secure("/path?q=1"));
        Assert.StartsWith("GET /path?q=1 HTTP/1.1\r\n", seen, StringComparison.Ordinal);
        Assert.Contains("X-Forwarded-Proto: https\r\n", seen, StringComparison.Ordinal);
        Assert.Contains(";proto=https;", seen, StringComparison.Ordinal);
        Assert.Contains($"Host: app.test:{rig.SecurePort}\r\n", seen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_connection_is_not_taken_for_a_host_that_its_certificate_does_not_cover(string version)
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var rig = await TlsRig.StartAsync(app, null, "app.test", "www.app.test");

        // Its own handshake, so that the name in it is another than the one that is asked for.
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, _) => await rig.HandshakeAsync("app.test", version == "2.0" ? SslApplicationProtocol.Http2 : SslApplicationProtocol.Http11),
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://www.app.test/") { Version = Version.Parse(version), VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
    }

    [Fact]
    public async Task Plain_requests_of_hosts_with_a_certificate_are_redirected()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var rig = await TlsRig.StartAsync(app, new CatalogTls { Redirected = ["app.test"] });
        using var client = rig.Client(HttpVersion.Version11);

        using var get = await client.GetAsync(rig.Plain("/a%20b?x=1"));
        Assert.Equal(HttpStatusCode.MovedPermanently, get.StatusCode);
        Assert.Equal($"https://app.test:{rig.SecurePort}/a%20b?x=1", get.Headers.Location!.OriginalString);

        using var post = await client.PostAsync(rig.Plain("/"), new StringContent("x"));
        Assert.Equal(HttpStatusCode.PermanentRedirect, post.StatusCode);

        using var other = await client.GetAsync(rig.Plain("/", "www.app.test"));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task Other_domains_are_redirected_to_the_canonical_one_in_one_step()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var rig = await TlsRig.StartAsync(app, new CatalogTls { Redirected = ["app.test", "www.app.test"], Canonical = "www.app.test", HstsSeconds = 60 }, "app.test", "www.app.test");
        using var client = rig.Client(HttpVersion.Version11);

        using var plain = await client.GetAsync(rig.Plain("/x"));
        Assert.Equal($"https://www.app.test:{rig.SecurePort}/x", plain.Headers.Location!.OriginalString);
        Assert.False(plain.Headers.Contains("Strict-Transport-Security"));

        using var secure = await client.GetAsync(rig.Secure("/x"));
        Assert.Equal($"https://www.app.test:{rig.SecurePort}/x", secure.Headers.Location!.OriginalString);

        using var there = await client.GetAsync(rig.Secure("/x", "www.app.test"));
        Assert.Equal(HttpStatusCode.OK, there.StatusCode);
        Assert.Equal("max-age=60", Assert.Single(there.Headers.GetValues("Strict-Transport-Security")));
    }

    [Theory]
    [InlineData("127.0.0.0/8", "https", HttpStatusCode.OK)]
    [InlineData("127.0.0.0/8", "http", HttpStatusCode.MovedPermanently)]
    [InlineData("10.0.0.0/8", "https", HttpStatusCode.MovedPermanently)]
    public async Task A_trusted_proxy_that_ends_TLS_is_not_sent_to_it_again(string trusted, string scheme, HttpStatusCode status)
    {
        await using var app = ScriptedApp.Answering(static (head, _) =>
        {
            var told = head.Split("\r\n").First(static line => line.StartsWith("X-Forwarded-Proto:", StringComparison.OrdinalIgnoreCase));
            return $"HTTP/1.1 200 OK\r\nContent-Length: {told.Length}\r\n\r\n{told}";
        });
        var tls = new CatalogTls { Redirected = ["app.test"], HstsSeconds = 60 };
        await using var rig = await TlsRig.StartAsync(app, tls);
        rig.Serve(app, tls, new WebDefinition { TrustedProxies = [trusted] });
        using var client = rig.Client(HttpVersion.Version11);
        using var request = new HttpRequestMessage(HttpMethod.Get, rig.Plain());
        request.Headers.Add("X-Forwarded-Proto", scheme);
        using var answer = await client.SendAsync(request);
        Assert.Equal((status, status == HttpStatusCode.OK), (answer.StatusCode, answer.Headers.Contains("Strict-Transport-Security")));
        if (status == HttpStatusCode.OK)
        {
            Assert.Equal("X-Forwarded-Proto: https", await answer.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task What_an_app_says_of_HSTS_stands_above_ours()
    {
        await using var app = ScriptedApp.Answering(static (_, _) => "HTTP/1.1 200 OK\r\nstrict-transport-security: max-age=7\r\nContent-Length: 0\r\n\r\n");
        await using var rig = await TlsRig.StartAsync(app, new CatalogTls { HstsSeconds = 60 });
        using var client = rig.Client();
        using var answer = await client.GetAsync(rig.Secure());
        Assert.Equal("max-age=7", Assert.Single(answer.Headers.GetValues("Strict-Transport-Security")));
    }

    [Fact]
    public async Task An_ACME_authority_is_answered_before_any_redirect_and_unknown_tokens_go_to_the_app()
    {
        await using var app = ScriptedApp.Saying("from the app");
        await using var rig = await TlsRig.StartAsync(app, new CatalogTls { Challenges = [new CatalogChallenge("token-1", "token-1.thumb")] });
        using var client = rig.Client(HttpVersion.Version11);
        Assert.Equal("token-1.thumb", await client.GetStringAsync(rig.Plain("/.well-known/acme-challenge/token-1")));
        Assert.Equal("from the app", await client.GetStringAsync(rig.Plain("/.well-known/acme-challenge/token-2")));
    }

    [Fact]
    public async Task Old_versions_of_TLS_are_refused()
    {
        await using var app = ScriptedApp.Saying("hello");
        await using var rig = await TlsRig.StartAsync(app);
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, rig.SecurePort);
        await using var stream = new SslStream(new System.Net.Sockets.NetworkStream(socket));
#pragma warning disable SYSLIB0039, CA5397, CA5359 // that they are refused is the point
        await Assert.ThrowsAnyAsync<Exception>(() => stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "app.test", EnabledSslProtocols = SslProtocols.Tls11, RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        }));
#pragma warning restore SYSLIB0039, CA5397, CA5359
    }

    private static async Task<string> SerialAsync(TlsRig rig)
    {
        await using var stream = await rig.HandshakeAsync("app.test");
        return ((X509Certificate2)stream.RemoteCertificate!).SerialNumber;
    }
}
