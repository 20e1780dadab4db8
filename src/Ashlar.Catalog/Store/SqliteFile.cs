using Ashlar.Errors;
using Microsoft.Data.Sqlite;

namespace Ashlar.Catalog.Store;

/// <summary>Opens the store's file: mode 0600, write-ahead log, format checked; and says in Ashlar's words what SQLite says in codes.</summary>
internal static class SqliteFile
{
    /// <summary>Format that this program writes (<c>user_version</c>).</summary>
    public const long Format = 1;

    /// <summary>Format of a file whose state was moved elsewhere: one that programs which know nothing of that refuse as too new.</summary>
    public const long MovedFormat = 2;

    /// <summary>Marks a database as a store of Ashlar's (<c>application_id</c>): "ASHL".</summary>
    private const long Application = 0x4153484C;

    private const string Schema = """
        CREATE TABLE entry(
            key TEXT NOT NULL PRIMARY KEY,
            value BLOB NOT NULL,
            create_revision INTEGER NOT NULL,
            mod_revision INTEGER NOT NULL,
            lease INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX entry_lease ON entry(lease) WHERE lease <> 0;
        CREATE TABLE change(
            revision INTEGER NOT NULL,
            sequence INTEGER NOT NULL,
            key TEXT NOT NULL,
            value BLOB,
            PRIMARY KEY(revision, sequence)) WITHOUT ROWID;
        CREATE TABLE lease(id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, milliseconds INTEGER NOT NULL);
        CREATE TABLE mark(revision INTEGER NOT NULL, oldest INTEGER NOT NULL);
        INSERT INTO mark VALUES(0, 1);
        """;

    /// <summary>An open connection that holds the file alone.</summary>
    /// <param name="path">The file.</param>
    /// <param name="evenIfMoved">True: one whose state was moved elsewhere is opened as well.</param>
    /// <exception cref="AshlarException">ASH4060 to ASH4066, ASH4077.</exception>
    public static SqliteConnection Open(string path, bool evenIfMoved = false)
    {
        SQLitePCL.Batteries_V2.Init();
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 1 }.ToString());
        try
        {
            // SQLite gives its log the mode of the database, so the file is made before SQLite does it with another mode.
            if (!File.Exists(path))
            {
                var options = new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                };
                using var created = new FileStream(path, options);
            }

            connection.Open();
            Prepare(connection, path, evenIfMoved);
            return connection;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw Translate(e, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            connection.Dispose();
            throw CatalogErrors.StoreUnusable(path, e.Message.TrimEnd('.'), e);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The error a person is shown.</summary>
    public static AshlarException Translate(SqliteException e, string path) => e.SqliteErrorCode switch
    {
        SQLitePCL.raw.SQLITE_FULL => CatalogErrors.DiskFull(path, e),
        SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB => CatalogErrors.StoreDamaged(path, Reason(e), e),
        SQLitePCL.raw.SQLITE_READONLY => CatalogErrors.StoreReadOnly(path, e),
        SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED => CatalogErrors.StoreInUse(path, e),
        SQLitePCL.raw.SQLITE_CANTOPEN or SQLitePCL.raw.SQLITE_PERM => CatalogErrors.StoreUnusable(path, Reason(e), e),
        _ => CatalogErrors.StoreFailed(path, Reason(e), e),
    };

    private static void Prepare(SqliteConnection connection, string path, bool evenIfMoved)
    {
        // SQLite opens a file that cannot be written for reading, and fails much later.
        if (SQLitePCL.raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
        {
            throw CatalogErrors.StoreReadOnly(path);
        }

        // Exclusive: no shared memory file, and a second agent is refused by the file itself.
        Execute(connection, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL;");
        var format = Number(connection, "PRAGMA user_version");
        if (format > MovedFormat)
        {
            throw CatalogErrors.StoreNewer(path, format, Format);
        }

        if (format == 0 && Number(connection, "SELECT count(*) FROM sqlite_schema") > 0)
        {
            throw CatalogErrors.StoreDamaged(path, "it is a database of another program");
        }

        if (format != 0)
        {
            if (Number(connection, "PRAGMA application_id") != Application)
            {
                throw CatalogErrors.StoreDamaged(path, "it is a database of another program");
            }

            if (Scalar(connection, "PRAGMA quick_check(1)") is not "ok" and var damage)
            {
                throw CatalogErrors.StoreDamaged(path, $"{damage}");
            }

            if (format == MovedFormat && !evenIfMoved)
            {
                throw CatalogErrors.StoreMoved(path, SqliteMoveMark.Read(connection)?.Target ?? "another store");
            }
        }

        Execute(connection, "PRAGMA journal_mode = WAL;");
        if (format == 0)
        {
            Execute(connection, $"BEGIN IMMEDIATE;{Schema}PRAGMA application_id = {Application}; PRAGMA user_version = {Format};COMMIT;");
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static long Number(SqliteConnection connection, string sql) => (long)Scalar(connection, sql)!;

    private static string Reason(SqliteException e) => $"SQLite says \"{SQLitePCL.raw.sqlite3_errstr(e.SqliteErrorCode).utf8_to_string()}\" ({e.SqliteExtendedErrorCode})";
}
