using System.Diagnostics;
using Ashlar.Delivery.Tests.Releases;

namespace Ashlar.Delivery.Tests;

/// <summary>This program as another process, for what a test cannot show within one: an agent's death by SIGKILL.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    public StreamReader Output => _process.StandardOutput;

    public static ChildProcess Start(string role, string argument) => new(Process.Start(
        new ProcessStartInfo("dotnet", [typeof(ChildProcess).Assembly.Location, role, argument]) { RedirectStandardOutput = true })!);

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
        if (arguments is not ["build-for-ever", var folder])
        {
            return 2;
        }

        await ReleaseStoreTests.BuildForEverAsync(folder);
        return 0;
    }
}
