namespace Ashlar.Postgres;

/// <summary>Makes a new cluster where there is no data.</summary>
internal static class FreshCluster
{
    /// <summary>A cluster with its first log takes 40 MiB; it must be able to write something too.</summary>
    public const long NeedsBytes = 96L << 20;

    /// <summary>Makes it, with its users and the app's database.</summary>
    /// <param name="folder">The server's folder, with its settings written.</param>
    /// <param name="programs">Folder of the programs.</param>
    /// <param name="options">What the server is told.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="Errors.AshlarException">ASH7006, ASH7007, ASH7008: nothing is there but what is in preparation.</exception>
    public static async Task MakeAsync(DataFolder folder, string programs, PostgresOptions options, TimeProvider time, CancellationToken cancellation)
    {
        RequireRoom(folder, NeedsBytes);
        folder.ClearPreparing();
        var passwordFile = Path.Combine(folder.Path, "initdb.password");
        try
        {
            Files.Write(passwordFile, options.Passwords[ClusterNames.Owner] + "\n");
            var made = await Tool.RunAsync(Path.Combine(programs, "initdb"),
            [
                "-D", folder.Preparing, "--data-checksums", "--encoding=UTF8", "--locale=C.UTF-8", "--auth-host=scram-sha-256", "--auth-local=peer",
                $"--username={ClusterNames.Owner}", $"--pwfile={passwordFile}", "--no-sync", "--no-instructions",
            ], cancellation: cancellation);
            if (made.ExitCode != 0)
            {
                throw Explain(folder, made);
            }
        }
        finally
        {
            File.Delete(passwordFile);
        }

        Configuration.Include(folder.Preparing);
        var users = ClusterUsers.Wanted(options);
        await ClusterUsers.ApplyAsync(programs, folder.Preparing, options, null, cancellation);
        Files.SyncFileSystem(folder.Preparing);
        ClusterUsers.Write(folder, users);
        folder.Install(time);
    }

    /// <exception cref="Errors.AshlarException">ASH7006.</exception>
    public static void RequireRoom(DataFolder folder, long needed)
    {
        if (folder.Disk().Free is var free && free < needed)
        {
            throw PostgresErrors.DiskFull(folder.Path, free, needed);
        }
    }

    private static Errors.AshlarException Explain(DataFolder folder, ToolResult result) =>
        result.Error.Contains("No space left", StringComparison.Ordinal) ? PostgresErrors.DiskFull(folder.Path, folder.Disk().Free, NeedsBytes)
        : result.Error.Contains("locale", StringComparison.Ordinal) ? PostgresErrors.WrongLocale(folder.Data, result.Reason)
        : PostgresErrors.ToolFailed("initdb", result.Reason);
}
