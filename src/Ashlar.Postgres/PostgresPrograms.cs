namespace Ashlar.Postgres;

/// <summary>Where this machine has PostgreSQL's programs.</summary>
public static class PostgresPrograms
{
    /// <summary>Major versions that are installed and that Ashlar knows, ascending.</summary>
    public static IReadOnlyList<int> Installed => [.. PostgresVersions.Installed().Keys.Where(v => v is >= PostgresVersions.Oldest and <= PostgresVersions.Newest)];

    /// <summary>The version that all tests run with; its Debian package is <c>postgresql-</c> and this number.</summary>
    public static int Proven => PostgresVersions.Proven;

    /// <summary>Folder of the newest client programs: these speak to every older server.</summary>
    /// <exception cref="Errors.AshlarException">ASH7001.</exception>
    public static string Newest()
    {
        var installed = PostgresVersions.Installed();
        return installed.Count > 0 ? installed[installed.Keys.Max()] : throw PostgresErrors.NotInstalled(null, []);
    }
}
