using System.Diagnostics;
using Ashlar.Catalog.Tests.Channel;
using Ashlar.Catalog.Tests.Store;

namespace Ashlar.Catalog.Tests;

/// <summary>This program as another process, for what a test cannot show within one: death by SIGKILL.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    public StreamReader Output => _process.StandardOutput;

    public static ChildProcess Start(string role, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileName(host) == "dotnet" ? host : "dotnet")
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        start.ArgumentList.Add(role);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return new ChildProcess(Process.Start(start)!);
    }

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }

    private static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["send-listener", var path]:
                await DescriptorTests.SendListenerAndHangAsync(path);
                return 0;
            case ["write-store", var path]:
                await SqliteFileTests.WriteForEverAsync(path);
                return 0;
            default:
                return 2;
        }
    }
}
