using System.Diagnostics;
using Ashlar.Output;

namespace Ashlar.Doctoring;

/// <summary>Installs Debian packages, so that none of them starts a daemon: who runs what is the stack's to say.</summary>
internal static class PackageInstaller
{
    private const string Policy = "/usr/sbin/policy-rc.d";

    /// <summary>The one line that does it.</summary>
    public static string CommandLine(IEnumerable<string> packages) =>
        $"apt-get install -y --no-install-recommends {string.Join(' ', packages)}";

    /// <summary>Installs them; says what it does.</summary>
    /// <exception cref="Errors.AshlarException">It may not, cannot or fails (ASH6022).</exception>
    public static async Task InstallAsync(IReadOnlyList<string> packages, Progress progress, CancellationToken cancellation)
    {
        var line = CommandLine(packages);
        if (Programs.Find("apt-get") is not { } aptGet)
        {
            throw CliErrors.NotPossible($"there is no apt-get here to install {string.Join(", ", packages)} with.", "install them with the package manager of this system.");
        }

        if (!Environment.IsPrivilegedProcess)
        {
            throw CliErrors.NotPossible($"only root may install {string.Join(", ", packages)}.", $"sudo {line}");
        }

        progress.Step(line);
        var ownPolicy = BeginPolicy();
        try
        {
            await RunAsync(aptGet, ["update"], line, cancellation);
            await RunAsync(aptGet, ["install", "-y", "--no-install-recommends", .. packages], line, cancellation);
        }
        finally
        {
            if (ownPolicy) File.Delete(Policy);
        }
    }

    // An answer of 101 is Debian's way to say: start nothing.
    private static bool BeginPolicy()
    {
        if (File.Exists(Policy)) return false;
        File.WriteAllText(Policy, "#!/bin/sh\nexit 101\n");
        File.SetUnixFileMode(Policy, (UnixFileMode)0b111_101_101);
        return true;
    }

    private static async Task RunAsync(string aptGet, string[] arguments, string line, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(aptGet, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        start.Environment["RUNLEVEL"] = "1";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode == 0) return;
        var last = string.Join(" / ", (await output + await error).Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(3));
        throw CliErrors.NotPossible($"apt-get {arguments[0]} ends with {process.ExitCode}: {last}.", $"run it by hand: {line}");
    }
}
