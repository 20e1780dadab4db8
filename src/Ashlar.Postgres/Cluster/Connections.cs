using Npgsql;

namespace Ashlar.Postgres;

/// <summary>How we connect to servers of the stack.</summary>
internal static class Connections
{
    private const int TimeoutSeconds = 5;

    /// <summary>As the user that may look at everything and at nothing of the app.</summary>
    public static string Replicator(int port, string password) => To(port, ClusterNames.Replicator, password, ClusterNames.Maintenance);

    /// <summary>Text of a connection. Contains the password: for Npgsql's eyes only.</summary>
    public static string To(int port, string user, string password, string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = port,
        Username = user,
        Password = password,
        Database = database,
        ApplicationName = "ashlar",
        Pooling = false,
        Timeout = TimeoutSeconds,
        CommandTimeout = TimeoutSeconds,
        CancellationTimeout = 500,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
        IncludeErrorDetail = false,
    }.ConnectionString;
}
