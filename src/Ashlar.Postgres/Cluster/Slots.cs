using Npgsql;

namespace Ashlar.Postgres;

/// <summary>Replication slots of the primary: each holds back the log that one replica still needs, within a bound.</summary>
internal static class Slots
{
    private const string InUse = "55006"; // object_in_use
    private const string Unknown = "42704"; // undefined_object
    private const string Duplicate = "42710"; // duplicate_object
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);

    /// <summary>Makes one that holds from now on; one that is there stays as it is.</summary>
    public static async Task MakeAsync(NpgsqlDataSource primary, string slot, CancellationToken cancellation)
    {
        try
        {
            await using var command = primary.CreateCommand("SELECT pg_create_physical_replication_slot($1, true)");
            command.Parameters.AddWithValue(slot);
            await command.ExecuteNonQueryAsync(cancellation);
        }
        catch (PostgresException e) when (e.SqlState == Duplicate)
        {
        }
    }

    /// <summary>Makes one in the place of what is there.</summary>
    /// <exception cref="PostgresException">Somebody uses it all that time.</exception>
    public static async Task MakeAnewAsync(NpgsqlDataSource primary, string slot, TimeSpan patience, CancellationToken cancellation)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await DropAsync(primary, slot, cancellation))
        {
            if (TimeProvider.System.GetElapsedTime(began) > patience)
            {
                break; // Its user may be a copy that was cut off a moment ago: then the slot serves as well as a new one.
            }

            await Task.Delay(Again, cancellation);
        }

        await MakeAsync(primary, slot, cancellation);
    }

    /// <summary>Drops one. False: it is in use.</summary>
    public static async Task<bool> DropAsync(NpgsqlDataSource primary, string slot, CancellationToken cancellation)
    {
        try
        {
            await using var command = primary.CreateCommand("SELECT pg_drop_replication_slot($1)");
            command.Parameters.AddWithValue(slot);
            await command.ExecuteNonQueryAsync(cancellation);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is InUse or Unknown)
        {
            return e.SqlState == Unknown;
        }
    }
}
