using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Ashlar.Testing;

/// <summary>
/// Let's Encrypt's own ACME server for tests, with the faults that it is made for: it refuses good nonces and takes its time. Every host
/// leads to 127.0.0.1.
/// </summary>
public sealed class Pebble : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestAuthority _authority = new("pebble's own");
    private readonly List<Process> _processes = [];

    private Pebble()
    {
    }

    /// <summary>Address of its directory.</summary>
    public string Directory => $"https://localhost:{Port}/dir";

    /// <summary>PEM file by which its own server is known.</summary>
    public string TrustedPath => Path.Combine(_folder.Path, "authority.crt");

    private int Port { get; } = Ports.Free();

    private int ManagementPort { get; } = Ports.Free();

    /// <summary>Starts it.</summary>
    /// <param name="httpPort">Port at which it looks for the answers.</param>
    /// <param name="refusedNonces">Percentage of good nonces that it refuses.</param>
    /// <param name="life">Life of its certificates; null: its own of five years.</param>
    public static async Task<Pebble> StartAsync(int httpPort, int refusedNonces = 40, TimeSpan? life = null)
    {
        var pebble = new Pebble();
        try
        {
            await pebble.BeginAsync(httpPort, refusedNonces, life ?? TimeSpan.FromDays(5 * 365));
            return pebble;
        }
        catch
        {
            await pebble.DisposeAsync();
            throw;
        }
    }

    /// <summary>The certificate of its root, by which what it issues is known.</summary>
    public async Task<string> RootAsync()
    {
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = new() { TargetHost = "localhost", CertificateChainPolicy = Policy() } });
        return await client.GetStringAsync(new Uri($"https://localhost:{ManagementPort}/roots/0"));
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        _authority.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task BeginAsync(int httpPort, int refusedNonces, TimeSpan life)
    {
        _authority.Issue(_folder.Path, "localhost");
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        var (dns, challenges) = (Ports.Free(), Ports.Free());
        await File.WriteAllTextAsync(Path.Combine(_folder.Path, "config.json"), $$"""
            {"pebble": {"listenAddress": "127.0.0.1:{{Port}}", "managementListenAddress": "127.0.0.1:{{ManagementPort}}",
             "certificate": "machine.crt", "privateKey": "machine.key", "httpPort": {{httpPort}}, "tlsPort": 1, "ocspResponderURL": "", "externalAccountBindingRequired": false, "certificateValidityPeriod": {{(long)life.TotalSeconds}}} }
            """);
        Start("pebble-challtestsrv", [], "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", $"127.0.0.1:{dns}", "-http01", "", "-https01", "", "-tlsalpn01", "",
            "-management", $"127.0.0.1:{challenges}");
        await ListensAsync(challenges);
        Start("pebble", [("PEBBLE_WFE_NONCEREJECT", refusedNonces.ToString(CultureInfo.InvariantCulture)), ("PEBBLE_VA_SLEEPTIME", "2")],
            "-config", "config.json", "-dnsserver", $"127.0.0.1:{dns}");
        await ListensAsync(Port);
    }

    private void Start(string program, (string Name, string Value)[] environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder.Path, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        _processes.Add(process);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private static async Task ListensAsync(int port)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync("127.0.0.1", port, bound.Token);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50, bound.Token);
            }
        }
    }

    private System.Security.Cryptography.X509Certificates.X509ChainPolicy Policy()
    {
        var policy = new System.Security.Cryptography.X509Certificates.X509ChainPolicy
        {
            TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
            RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.ImportFromPem(_authority.Pem);
        return policy;
    }
}
