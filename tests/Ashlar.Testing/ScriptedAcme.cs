using System.Buffers.Text;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Ashlar.Testing;

/// <summary>What a scripted authority answers.</summary>
/// <param name="Status">Status code.</param>
/// <param name="Body">The body.</param>
/// <param name="RetryAfter">Field Retry-After; null: none.</param>
public sealed record AcmeAnswer(int Status, string Body, string? RetryAfter = null);

/// <summary>
/// An ACME authority (RFC 8555) that asks for no proof and does what a test wants: it answers whatever is to be answered instead, and signs
/// what is to be signed instead. Over TLS, on loopback.
/// </summary>
public sealed class ScriptedAcme : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestAuthority _server = new("the authority's own server");
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _issuer;
    private readonly X509Certificate2 _identity;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _accepting;
    private string _chain = "";

    /// <summary>Starts it.</summary>
    public ScriptedAcme()
    {
        var request = new CertificateRequest("CN=scripted issuer", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _issuer = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        _identity = TestAuthority.Load(_server.Issue(_folder.Path, "localhost"));
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Address of its directory.</summary>
    public string Directory => $"{Root}/dir";

    /// <summary>PEM file by which its server is known.</summary>
    public string TrustedPath => Path.Combine(_folder.Path, "authority.crt");

    /// <summary>What is answered to a path (<c>/dir</c>, <c>/nonce</c>, <c>/account</c>, <c>/order</c>, <c>/orders/1</c>, <c>/finalize</c>, <c>/certificate</c>) instead; null: as ever.</summary>
    public Func<string, AcmeAnswer?> Instead { get; set; } = _ => null;

    /// <summary>The chain (PEM) that is issued instead of a good one.</summary>
    public Func<CertificateRequest, string>? Issues { get; set; }

    /// <summary>Begin and end of what is issued.</summary>
    public (DateTimeOffset From, DateTimeOffset Until) Life { get; set; } = (DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(90));

    /// <summary>Orders that came.</summary>
    public int Orders { get; private set; }

    private string Root => $"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Signs for a host, with that key.</summary>
    public string Sign(string host, PublicKey key)
    {
        var request = new CertificateRequest(new X500DistinguishedName("CN=scripted"), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(_issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), Life.From, Life.Until, RandomNumberGenerator.GetBytes(8));
        return $"{signed.ExportCertificatePem()}\n{_issuer.ExportCertificatePem()}\n";
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_accepting.IsCompleted)
        {
            return;
        }

        await _ending.CancelAsync();
        _listener.Stop();
        await _accepting;
        _listener.Dispose();
        _ending.Dispose();
        _identity.Dispose();
        _issuer.Dispose();
        _key.Dispose();
        _server.Dispose();
        _folder.Dispose();
    }

    private async Task AcceptAsync()
    {
        // Clients open connections to spare, too, and say nothing on them.
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_ending.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var ending = client;
        try
        {
            await using var stream = new SslStream(client.GetStream());
            await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _identity }, _ending.Token);
            await ServeAsync(stream);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or System.Security.Authentication.AuthenticationException)
        {
        }
    }

    // One request a connection, which is enough here.
    private async Task ServeAsync(SslStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        var first = (await reader.ReadLineAsync(_ending.Token) ?? "").Split(' ');
        var length = 0;
        while (await reader.ReadLineAsync(_ending.Token) is { Length: > 0 } line)
        {
            length = line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase) ? int.Parse(line[15..], null) : length;
        }

        var body = new char[length];
        if (first.Length < 2 || (length > 0 && await reader.ReadBlockAsync(body, _ending.Token) < length))
        {
            return;
        }

        var answer = Instead(first[1]) ?? Answer(first[1], new string(body));
        var location = first[1] is "/account" or "/order" ? $"Location: {Root}{first[1]}s/1\r\n" : "";
        var retry = answer.RetryAfter is { } after ? $"Retry-After: {after}\r\n" : "";
        var text = first[0] == "HEAD" ? "" : answer.Body;
        await stream.WriteAsync(
            Encoding.UTF8.GetBytes($"HTTP/1.1 {answer.Status} X\r\nReplay-Nonce: abc\r\n{location}{retry}Content-Length: {Encoding.UTF8.GetByteCount(text)}\r\nConnection: close\r\n\r\n{text}"), _ending.Token);
    }

    private AcmeAnswer Answer(string path, string body)
    {
        switch (path)
        {
            case "/dir":
                return new AcmeAnswer(200, $$"""{"newNonce":"{{Root}}/nonce","newAccount":"{{Root}}/account","newOrder":"{{Root}}/order"}""");
            case "/order":
                Orders++;
                _chain = "";
                return Order("ready", 201);
            case "/orders/1":
                return Order(_chain.Length > 0 ? "valid" : "ready");
            case "/finalize":
                var request = CertificateRequest.LoadSigningRequest(Csr(body), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
                _chain = Issues?.Invoke(request) ?? Sign(NameIn(request), request.PublicKey);
                return Order("valid");
            case "/certificate":
                return new AcmeAnswer(200, _chain);
            default:
                return new AcmeAnswer(200, "{}");
        }
    }

    private AcmeAnswer Order(string state, int status = 200) =>
        new(status, $$"""{"status":"{{state}}","authorizations":[],"finalize":"{{Root}}/finalize","certificate":"{{Root}}/certificate"}""");

    private static string NameIn(CertificateRequest request) =>
        new X509SubjectAlternativeNameExtension(request.CertificateExtensions.Single(e => e.Oid?.Value == "2.5.29.17").RawData).EnumerateDnsNames().Single();

    private static byte[] Csr(string body)
    {
        using var outer = JsonDocument.Parse(body);
        using var payload = JsonDocument.Parse(Base64Url.DecodeFromChars(outer.RootElement.GetProperty("payload").GetString()));
        return Base64Url.DecodeFromChars(payload.RootElement.GetProperty("csr").GetString());
    }
}
