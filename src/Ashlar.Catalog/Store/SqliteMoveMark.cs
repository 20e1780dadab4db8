using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Ashlar.Catalog.Store;

/// <summary>What a store's file says of its being moved.</summary>
/// <param name="Source">Random name of the file, made when a move first began.</param>
/// <param name="Target">Where to, for people.</param>
/// <param name="IsMoved">True: the state lies there now; false: the move is under way, and it still lies here.</param>
internal sealed record SqliteMoveMark(string Source, string Target, bool IsMoved)
{
    /// <summary>Reads it; null: a move never began.</summary>
    public static SqliteMoveMark? Read(SqliteConnection connection)
    {
        using var exists = Command(connection, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'move'");
        if (exists.ExecuteScalar() is not 1L)
        {
            return null;
        }

        using var command = Command(connection, "SELECT source, target, (SELECT user_version FROM pragma_user_version) FROM move");
        using var reader = command.ExecuteReader();
        return reader.Read() ? new SqliteMoveMark(reader.GetString(0), reader.GetString(1), reader.GetInt64(2) == SqliteFile.MovedFormat) : null;
    }

    /// <summary>Writes that a move begins, or that it begins again to another place.</summary>
    public static SqliteMoveMark Begin(SqliteConnection connection, string target)
    {
        var source = Read(connection)?.Source ?? Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
        using var command = Command(connection, """
            BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS move(source TEXT NOT NULL, target TEXT NOT NULL);
            DELETE FROM move;
            INSERT INTO move VALUES($source, $target);
            COMMIT;
            """);
        command.Parameters.AddWithValue("$source", source);
        command.Parameters.AddWithValue("$target", target);
        command.ExecuteNonQuery();
        return new SqliteMoveMark(source, target, false);
    }

    /// <summary>Writes that the state lies there from now on.</summary>
    public static void End(SqliteConnection connection)
    {
        using var command = Command(connection, $"PRAGMA user_version = {SqliteFile.MovedFormat.ToString(CultureInfo.InvariantCulture)}");
        command.ExecuteNonQuery();
    }

    /// <summary>All that outlives a lease, in the order of keys.</summary>
    public static SortedDictionary<string, byte[]> Entries(SqliteConnection connection)
    {
        var entries = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        using var command = Command(connection, "SELECT key, value FROM entry WHERE lease = 0");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            entries.Add(reader.GetString(0), reader.GetFieldValue<byte[]>(1));
        }

        return entries;
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }
}
