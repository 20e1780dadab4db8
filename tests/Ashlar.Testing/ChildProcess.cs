using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Ashlar.Testing;

/// <summary>A program of the tests as another process, for what a test cannot show within one: death by SIGKILL.</summary>
public sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    /// <summary>What it writes.</summary>
    public StreamReader Output => _process.StandardOutput;

    /// <summary>Starts the calling test project's own <c>Main</c>.</summary>
    /// <param name="arguments">The role it is to play, and what belongs to it.</param>
    [MethodImpl(MethodImplOptions.NoInlining)] // or the caller would be another
    public static ChildProcess Start(params string[] arguments) => new(Process.Start(
        new ProcessStartInfo("dotnet", [Assembly.GetCallingAssembly().Location, .. arguments]) { RedirectStandardOutput = true })!);

    /// <summary>Ends it by SIGKILL and waits for that.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}
