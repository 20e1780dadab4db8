using Npgsql;

namespace Ashlar.Jobs.Queue;

/// <summary>Opens connections to the queue's database.</summary>
internal sealed class Database(string text)
{
    private const int Patience = 30;

    // A server notices within a quarter of a minute that the other end is gone, and gives the dispatcher's lock to the next. Never a plan that reads a
    // whole table: these tables have no statistics, because they are only inserted into.
    private const string Session = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10000 "
        + "-c enable_seqscan=off -c enable_bitmapscan=off -c jit=off -c idle_in_transaction_session_timeout=60000 -c lock_timeout=20000";

    /// <summary>The database that settings name. The text contains the password: for Npgsql's eyes only.</summary>
    public static Database Of(JobsSettings settings) => new(new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = settings.Port,
        Username = settings.User,
        Password = settings.Password,
        Database = settings.Database,
        ApplicationName = "ashlar jobs",
        Pooling = false,
        Timeout = 5,
        CommandTimeout = Patience,
        CancellationTimeout = 1000,
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
        IncludeErrorDetail = false,
        MaxAutoPrepare = 64,
        AutoPrepareMinUsages = 2,
        Options = Session,
    }.ConnectionString);

    /// <summary>Opens one.</summary>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellation)
    {
        var connection = new NpgsqlConnection(text);
        try
        {
            await connection.OpenAsync(cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>True: the server or the way to it is the cause, and another try may do better.</summary>
    public static bool IsOfTheServer(Exception e) => e is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException
        || (e is InvalidOperationException && e.Message.Contains("connection", StringComparison.OrdinalIgnoreCase));
}
