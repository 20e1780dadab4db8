using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Ashlar.Catalog;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Certificates;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Logging;
using Ashlar.Http.Transport.Tls;
using Ashlar.Monitoring;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Certificates;

/// <summary>An edge that speaks plain HTTP on one port and TLS on another, with certificates of an authority that its clients trust.</summary>
internal sealed class TlsRig : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Socket _http = Listen();
    private readonly Socket _https = Listen();
    private readonly EdgeMetrics _metrics;
    private readonly ServiceTargets _services;
    private readonly ConcurrentQueue<Exception> _faults = [];
    private readonly LocalAuthority _authority = LocalAuthority.Create("rig", DateTimeOffset.UtcNow);
    private readonly X509Certificate2 _trusted;
    private int _files;
    private long _revision;

    private TlsRig(ForwardingOptions options)
    {
        _trusted = X509Certificate2.CreateFromPem(_authority.CertificatePem);
        _metrics = new EdgeMetrics(MetricsFile.InMemory(options.Loops + 1));
        _services = new ServiceTargets(_metrics, new Told());
        Server = new EdgeServer(_services, options, _metrics, null, _faults.Enqueue);
    }

    public EdgeServer Server { get; }

    public TlsFront Front { get; } = new(offersHttp2: true);

    /// <summary>The release's folder.</summary>
    public string Folder => _folder.Path;

    public int Port => PortOf(_http);

    public int SecurePort => PortOf(_https);

    public static Task<TlsRig> StartAsync(ScriptedAppPort app, CatalogTls? tls = null, params string[] hosts) => StartAsync(new ForwardingOptions(), app, tls, hosts);

    public static async Task<TlsRig> StartAsync(ForwardingOptions options, ScriptedAppPort app, CatalogTls? tls = null, params string[] hosts)
    {
        var rig = new TlsRig(options with { Loops = 1 });
        rig.Show(hosts.Length > 0 ? hosts : ["app.test"]);
        rig.Serve(app, tls ?? new CatalogTls());
        await rig.Server.ListenAsync(new EdgeListener("http", (int)rig._http.Handle, rig.Port, null));
        await rig.Server.ListenAsync(new EdgeListener("https", (int)rig._https.Handle, rig.SecurePort, null) { Tls = rig.Front, IsSecure = true });
        return rig;
    }

    /// <summary>Shows certificates for these hosts from now on.</summary>
    public void Show(params string[] hosts) => Assert.Empty(Front.Use([.. hosts.Select(host => Certificate(host))]));

    /// <summary>A certificate for a host, and for others beside it.</summary>
    public TlsCertificate Certificate(params string[] names)
    {
        var path = Path.Combine(_folder.Path, $"{_files++}.pem");
        File.WriteAllText(path, _authority.Issue(names, DateTimeOffset.UtcNow));
        return new TlsCertificate(path, [.. names]);
    }

    public void Serve(ScriptedAppPort app, CatalogTls tls, WebDefinition? web = null, Func<CatalogService, CatalogService>? service = null) => _services.Apply(
        Rig.Snapshot(++_revision, (service ?? (static same => same))(Rig.Service("web", Rig.Instance($"web.1/{app.Port}", port: app.Port)).Routed("/"))) with
        {
            Tls = tls,
            Web = web ?? new WebDefinition(),
            Folder = _folder.Path,
            Domains = ["app.test", "www.app.test"],
            Listeners = [new CatalogListener("http", "127.0.0.1", Port, null), new CatalogListener("https", "127.0.0.1", SecurePort, null) { Tls = true }],
        });

    /// <summary>A client that trusts the rig's authority and connects to it whatever a URL's host is.</summary>
    public HttpClient Client(Version? version = null) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        ConnectCallback = async (context, cancellation) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Policy() },
    })
    {
        DefaultRequestVersion = version ?? HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(30),
    };

    public Uri Secure(string path = "/", string host = "app.test") => new($"https://{host}:{SecurePort}{path}");

    public Uri Plain(string path = "/", string host = "app.test") => new($"http://{host}:{Port}{path}");

    /// <summary>Shakes hands and gives what came of it.</summary>
    public async Task<SslStream> HandshakeAsync(string? name, params SslApplicationProtocol[] protocols)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, SecurePort);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name ?? "",
            ApplicationProtocols = [.. protocols],
#pragma warning disable CA5359 // which certificate is shown is the test's to see
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
        }).WaitAsync(TimeSpan.FromSeconds(30));
        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Front.Dispose();
        _http.Dispose();
        _https.Dispose();
        _authority.Dispose();
        _trusted.Dispose();
        _folder.Dispose();
        Assert.Empty(_faults);
    }

    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(_trusted);
        return policy;
    }

    private static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(1024);
        return socket;
    }
}

/// <summary>Where an app listens.</summary>
internal readonly record struct ScriptedAppPort(int Port)
{
    public static implicit operator ScriptedAppPort(Forwarding.ScriptedApp app) => new(app.Port);
}
