using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Etcd;

/// <summary>One real etcd on loopback, which can be stopped, frozen, killed and started again.</summary>
internal sealed partial class EtcdMember(string name, string folder, TestCertificates? certificates, string[] more) : IDisposable
{
    private const int Continue = 18;
    private const int Stop = 19;
    private Process? _process;

    public string Name { get; } = name;

    public Uri Client { get; } = Address(certificates);

    public Uri Peer { get; } = Address(null);

    public string Log => Path.Combine(folder, $"{Name}.log");

    /// <summary>Its log lines, for a failed test.</summary>
    public string LogEnd => File.Exists(Log) ? string.Join('\n', File.ReadLines(Log).TakeLast(20)) : "";

    /// <summary>Starts it; it is not waited for.</summary>
    public void Start(string cluster)
    {
        List<string> arguments =
        [
            "--name", Name, "--data-dir", Path.Combine(folder, Name),
            "--listen-client-urls", Text(Client), "--advertise-client-urls", Text(Client),
            "--listen-peer-urls", Text(Peer), "--initial-advertise-peer-urls", Text(Peer), "--initial-cluster", cluster,
            "--heartbeat-interval", "50", "--election-timeout", "500", "--logger", "zap", "--log-outputs", Log, .. more,
        ];
        if (certificates is not null)
        {
            arguments.AddRange(["--trusted-ca-file", certificates.Authority, "--cert-file", certificates.Server, "--key-file", certificates.ServerKey, "--client-cert-auth"]);
        }

        _process = Process.Start(new ProcessStartInfo("etcd", arguments))!;
    }

    public void Freeze() => Signal(Stop);

    public void Thaw() => Signal(Continue);

    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            Kill();
        }

        _process?.Dispose();
    }

    private void Signal(int signal) => Assert.Equal(0, SendSignal(_process!.Id, signal));

    private static Uri Address(TestCertificates? certificates) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{(certificates is null ? "http" : "https")}://127.0.0.1:{Ports.Free()}"));

    private static string Text(Uri address) => $"{address.Scheme}://{address.Authority}";

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);
}
