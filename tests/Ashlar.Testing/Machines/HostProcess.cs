using System.Diagnostics;

namespace Ashlar.Testing.Machines;

/// <summary>A process on a host; what it writes goes to a file.</summary>
public sealed class HostProcess : IDisposable
{
    private readonly Process _process;

    internal HostProcess(ProcessStartInfo start, string outputPath)
    {
        OutputPath = outputPath;
        _process = Process.Start(start)!;
    }

    /// <summary>Its pid: that of the command itself.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Its exit code, once it has ended; 128 + signal where one ended it.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>The file with its output and errors.</summary>
    public string OutputPath { get; }

    /// <summary>What it has written until now.</summary>
    public string Output => File.Exists(OutputPath) ? File.ReadAllText(OutputPath) : "";

    /// <summary>Waits until it has written this.</summary>
    public async Task<string> WaitForOutputAsync(string text, int timeoutSeconds = 30)
    {
        for (var begin = Stopwatch.StartNew(); begin.Elapsed < TimeSpan.FromSeconds(timeoutSeconds); await Task.Delay(20))
        {
            var ended = HasExited;
            if (Output is var output && output.Contains(text, StringComparison.Ordinal))
            {
                return output;
            }
            if (ended)
            {
                throw new InvalidOperationException($"It has ended with {ExitCode} and never wrote '{text}':\n{Output}");
            }
        }
        throw new TimeoutException($"It has not written '{text}' within {timeoutSeconds} s:\n{Output}");
    }

    /// <summary>Waits until it has ended.</summary>
    public async Task<int> WaitForExitAsync(int timeoutSeconds = 60)
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(timeoutSeconds));
        return ExitCode;
    }

    /// <summary>Sends it a signal.</summary>
    public void Signal(int signal) => Signals.Send(Id, signal);

    /// <summary>Ends it by SIGKILL and waits for that.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>Forgets it; it goes on until its host ends.</summary>
    public void Dispose() => _process.Dispose();
}
