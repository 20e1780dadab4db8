using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Tests.Tls;

/// <summary>TLS as a person sees it: the real program, and curl.</summary>
public sealed class TlsTests
{
    [Fact]
    public async Task A_stack_is_served_over_TLS_by_an_authority_of_its_own()
    {
        var secure = Ports.Free();
        await using var rig = Stack(secure, "domains: [shop.test, www.shop.test]", "hsts: 1h", "canonical: shop.test");
        Assert.Contains($"https://shop.test:{secure}", await rig.UpAsync());
        rig.Write("ca.pem", await rig.DoAsync("certificates", "trust", "--print"));

        Assert.Equal("200 2", await CurlAsync(rig, secure, "shop.test", "--http2"));
        Assert.Equal("200 1.1", await CurlAsync(rig, secure, "shop.test", "--http1.1", "--tls-max", "1.2"));
        Assert.Equal($"301 2 https://shop.test:{secure}/", await CurlAsync(rig, secure, "www.shop.test", "--http2"));
        Assert.Equal($"301 1.1 https://shop.test:{secure}/", await CurlPlainAsync(rig, "shop.test"));
        Assert.All(await CertificatesAsync(rig), c => Assert.Equal(("local", "good"), (c.GetProperty("issuer").GetString(), c.GetProperty("state").GetString())));

        // Whoever reads the certificates' files must be the edge.
        var files = Directory.GetFiles(Path.Combine(rig.Folder, ".ashlar", "run", "certificates"));
        Assert.Equal(3, files.Length);
        Assert.All(files, file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));

        // Another edge in its place has them too, and the authority stays.
        await rig.DoAsync("restart", "edge");
        Assert.Equal("200 2", await CurlAsync(rig, secure, "shop.test", "--http2"));
    }

    [Fact]
    public async Task An_ACME_authority_that_refuses_nonces_and_takes_its_time_issues_for_public_hosts()
    {
        var secure = Ports.Free();
        await using var rig = Stack(secure, "domains: [shop.example, shop.test]", "authority: @ACME@, authority_ca: acme.pem, email: ops@shop.example");
        await using var pebble = await Pebble.StartAsync(rig.Port);
        rig.Write("acme.pem", await File.ReadAllTextAsync(pebble.TrustedPath));
        rig.Write("ashlar.yaml", (await File.ReadAllTextAsync(Path.Combine(rig.Folder, "ashlar.yaml"))).Replace("@ACME@", $"\"{pebble.Directory}\"", StringComparison.Ordinal));
        await rig.UpAsync();

        var line = await UntilAsync(rig, "shop.example", c => c.GetProperty("state").GetString() != "ordered");
        Assert.True(line.GetProperty("state").GetString() == "good", $"{line}\n{rig.AgentLog()}");
        Assert.StartsWith("localhost:", line.GetProperty("issuer").GetString(), StringComparison.Ordinal);
        Assert.Equal("local", (await CertificatesAsync(rig)).Single(c => c.GetProperty("name").GetString() == "shop.test").GetProperty("issuer").GetString());

        rig.Write("ca.pem", await pebble.RootAsync());
        Assert.Equal("200 2", await CurlAsync(rig, secure, "shop.example", "--http2"));
        Assert.Equal($"301 1.1 https://shop.example:{secure}/", await CurlPlainAsync(rig, "shop.example"));
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task A_certificate_of_an_ACME_authority_is_renewed_before_it_ends_and_no_visitor_notices()
    {
        var secure = Ports.Free();
        await using var rig = Stack(secure, "domains: [shop.example]", "authority: @ACME@, authority_ca: acme.pem");
        await using var pebble = await Pebble.StartAsync(rig.Port, life: TimeSpan.FromSeconds(45));
        rig.Write("acme.pem", await File.ReadAllTextAsync(pebble.TrustedPath));
        rig.Write("ashlar.yaml", (await File.ReadAllTextAsync(Path.Combine(rig.Folder, "ashlar.yaml"))).Replace("@ACME@", $"\"{pebble.Directory}\"", StringComparison.Ordinal));
        await rig.UpAsync();
        rig.Write("ca.pem", await pebble.RootAsync());
        var first = (await UntilAsync(rig, "shop.example", c => c.GetProperty("state").GetString() == "good")).GetProperty("until").GetDateTimeOffset();
        var inUse = await EndOfServedAsync(rig, secure);

        // Each visitor checks the certificate; the last one gets the new.
        for (var visits = 0; visits < 2000 && await EndOfServedAsync(rig, secure) == inUse; visits++)
        {
            Assert.Equal("200 2", await CurlAsync(rig, secure, "shop.example", "--http2"));
        }

        Assert.Equal("200 2", await CurlAsync(rig, secure, "shop.example", "--http2"));
        Assert.True(await EndOfServedAsync(rig, secure) > first.AddSeconds(1), rig.AgentLog());
    }

    [Fact]
    public async Task Without_its_ACME_authority_a_stack_serves_with_a_local_certificate_and_says_why()
    {
        var secure = Ports.Free();
        await using var rig = Stack(secure, "domains: [shop.example]", $"authority: \"https://localhost:{Ports.Free()}/dir\"");
        await rig.UpAsync();
        await UntilAsync(rig, "shop.example", c => c.GetProperty("state").GetString() == "not issued");
        Assert.Contains("ASH3056", await rig.DoAsync("certificates"));
        Assert.Contains("certificate of shop.example", await rig.DoAsync("status"));

        rig.Write("ca.pem", await rig.DoAsync("certificates", "trust", "--print"));
        Assert.Equal("200 2", await CurlAsync(rig, secure, "shop.example", "--http2"));

        // Nobody trusts a local certificate by himself: plain HTTP stays as it was.
        Assert.Equal("200 1.1", await CurlPlainAsync(rig, "shop.example"));
    }

    private static StackRig Stack(int secure, string domains, string tls, string more = "") => new($$"""
        name: rig
        {{domains}}
        services:
          web: {run: "'@APP@'", route: /, health: /up}
        edge:
          listen: {http: "127.0.0.1:@PORT@", https: "127.0.0.1:{{secure}}"}
          tls: { {{tls}} }
          {{more}}
        """);

    private static Task<string> CurlAsync(StackRig rig, int secure, string host, params string[] options) =>
        CurlAsync(rig, [.. options, "--cacert", Path.Combine(rig.Folder, "ca.pem"), "--resolve", $"{host}:{secure}:127.0.0.1", $"https://{host}:{secure}/"]);

    private static Task<string> CurlPlainAsync(StackRig rig, string host) =>
        CurlAsync(rig, ["--resolve", $"{host}:{rig.Port}:127.0.0.1", $"http://{host}:{rig.Port}/"]);

    private static async Task<string> CurlAsync(StackRig rig, string[] arguments)
    {
        var result = await ProgramRun.RunAsync("curl", ["-sS", "-o", "/dev/null", "-m", "30", "-w", "%{http_code} %{http_version} %{redirect_url}", .. arguments]);
        return result.ExitCode == 0 ? result.Output.Trim() : throw new InvalidOperationException($"{result}\n{rig.AgentLog()}");
    }

    /// <summary>End of the certificate that a visitor is shown, who knows the authority.</summary>
    private static async Task<DateTimeOffset> EndOfServedAsync(StackRig rig, int port)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(Path.Combine(rig.Folder, "ca.pem"));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await using var stream = new SslStream(client.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "shop.example", CertificateChainPolicy = policy });
        using var certificate = new X509Certificate2(stream.RemoteCertificate!);
        return new DateTimeOffset(certificate.NotAfter);
    }

    private static async Task<JsonElement[]> CertificatesAsync(StackRig rig) =>
        [.. JsonDocument.Parse(await rig.DoAsync("certificates", "--json")).RootElement.GetProperty("certificates").EnumerateArray()];

    private static async Task<JsonElement> UntilAsync(StackRig rig, string host, Func<JsonElement, bool> judge)
    {
        for (var i = 0; i < 200; i++)
        {
            var line = (await CertificatesAsync(rig)).Single(c => c.GetProperty("name").GetString() == host);
            if (judge(line))
            {
                return line;
            }

            await Task.Delay(250);
        }

        throw new TimeoutException($"{host}: {await rig.DoAsync("certificates")}\n{rig.AgentLog()}");
    }
}
