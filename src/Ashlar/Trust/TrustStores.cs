using System.Security.Cryptography.X509Certificates;

namespace Ashlar.Trust;

/// <summary>Where this machine and its browsers keep the authorities that they trust. Nothing is touched but by the command of a person.</summary>
internal static class TrustStores
{
    // Folder for authorities of one's own, and the command that takes them over; first of Debian, then Fedora, Arch, SUSE.
    private static readonly (string Folder, string Program, string[] Arguments)[] Systems =
    [
        ("/usr/local/share/ca-certificates", "update-ca-certificates", []),
        ("/etc/pki/ca-trust/source/anchors", "update-ca-trust", ["extract"]),
        ("/etc/ca-certificates/trust-source/anchors", "trust", ["extract-compat"]),
        ("/usr/share/pki/trust/anchors", "update-ca-certificates", []),
    ];

    /// <summary>Adds the authority wherever that can be done.</summary>
    /// <param name="pem">Its certificate.</param>
    /// <param name="environment">The environment.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>What was done, a line each.</returns>
    /// <exception cref="Errors.AshlarException">ASH6022: nothing could be done.</exception>
    public static async Task<IReadOnlyList<string>> AddAsync(string pem, Func<string, string?> environment, CancellationToken cancellation)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        var name = $"{certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false)} {certificate.SerialNumber[..8]}";
        var done = new List<string>();
        var notDone = new List<string>();
        await AddToSystemAsync(pem, FileName(name), environment, done, notDone, cancellation);
        await AddToBrowsersAsync(pem, name, environment, done, notDone, cancellation);
        return done.Count > 0
            ? [.. done, .. notDone]
            : throw CliErrors.NotPossible($"the authority could not be added anywhere: {string.Join("; ", notDone)}.",
                "Repeat it as root, or add by hand what this prints: ashlar certificates trust --print.");
    }

    private static async Task AddToSystemAsync(
        string pem, string file, Func<string, string?> environment, List<string> done, List<string> notDone, CancellationToken cancellation)
    {
        var system = Systems.FirstOrDefault(s => Directory.Exists(s.Folder) && Find(s.Program, environment) is not null);
        if (system.Folder is null)
        {
            notDone.Add("the system's store: none of a kind that is known");
            return;
        }

        var path = Path.Combine(system.Folder, file);
        try
        {
            await File.WriteAllTextAsync(path, pem, cancellation);
            var result = await RunAsync(Find(system.Program, environment)!, system.Arguments, cancellation);
            (result is null ? done : notDone).Add(result is null ? $"the system trusts it ({path})" : $"{system.Program}: {result}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            notDone.Add($"the system's store: {e.Message.TrimEnd('.')}");
        }
    }

    // Chromium and Firefox read no store of the system but databases of their own (NSS), one a profile.
    private static async Task AddToBrowsersAsync(
        string pem, string name, Func<string, string?> environment, List<string> done, List<string> notDone, CancellationToken cancellation)
    {
        var databases = Databases(environment("HOME") ?? "/nonexistent").ToArray();
        if (databases.Length == 0)
        {
            return;
        }

        if (Find("certutil", environment) is not { } certutil)
        {
            notDone.Add("browsers: there is no certutil (Debian: libnss3-tools, Fedora: nss-tools)");
            return;
        }

        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, pem, cancellation);
            foreach (var database in databases)
            {
                var result = await RunAsync(certutil, ["-A", "-d", $"sql:{database}", "-t", "C,,", "-n", name, "-i", file], cancellation);
                (result is null ? done : notDone).Add(result is null ? $"the browser profile {database} trusts it" : $"{database}: {result}");
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static IEnumerable<string> Databases(string home)
    {
        string[] folders = [".pki/nssdb", "snap/chromium/current/.pki/nssdb"];
        string[] profiles = [".mozilla/firefox", "snap/firefox/common/.mozilla/firefox", ".config/mozilla/firefox"];
        return folders.Select(folder => Path.Combine(home, folder))
            .Concat(profiles.Select(folder => Path.Combine(home, folder)).Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories))
            .Where(folder => File.Exists(Path.Combine(folder, "cert9.db")));
    }

    private static string FileName(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '_')) + ".crt";

    private static string? Find(string program, Func<string, string?> environment) =>
        $"{environment("PATH")}:/usr/sbin:/sbin".Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    // What went wrong; null: nothing.
    private static async Task<string?> RunAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        var start = new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = System.Diagnostics.Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellation), process.StandardError.ReadToEndAsync(cancellation));
        await process.WaitForExitAsync(cancellation);
        await output;
        return process.ExitCode == 0 ? null : (await error).Trim() is { Length: > 0 } text ? text.Split('\n')[^1].TrimEnd('.') : $"exit {process.ExitCode}";
    }
}
