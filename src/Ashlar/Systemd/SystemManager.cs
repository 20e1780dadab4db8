using System.Diagnostics;

namespace Ashlar.Systemd;

/// <summary>Talks to systemd by <c>systemctl</c>.</summary>
/// <param name="ofSystem">True: the machine's manager; false: the user's.</param>
internal sealed class SystemManager(bool ofSystem)
{
    /// <summary>True if systemd is what runs this machine.</summary>
    public static bool IsPresent => Directory.Exists("/run/systemd/system");

    /// <summary>Runs a command of systemctl.</summary>
    /// <returns>Its exit code and what it said.</returns>
    public async Task<(int ExitCode, string Text)> RunAsync(CancellationToken cancellation, params string[] arguments)
    {
        var start = new ProcessStartInfo("systemctl", ofSystem ? arguments : ["--user", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return (process.ExitCode, (await output + await error).Trim());
    }

    /// <summary>Runs a command that must succeed.</summary>
    /// <exception cref="Errors.AshlarException">It fails (ASH6022).</exception>
    public async Task RequireAsync(CancellationToken cancellation, params string[] arguments)
    {
        var (exitCode, text) = await RunAsync(cancellation, arguments);
        if (exitCode != 0)
        {
            throw CliErrors.NotPossible($"systemctl {string.Join(' ', arguments)} ends with {exitCode}: {text}.", "systemctl status says more.");
        }
    }
}
