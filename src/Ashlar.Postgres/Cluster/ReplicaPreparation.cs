using Ashlar.Errors;
using Npgsql;

namespace Ashlar.Postgres;

/// <summary>What a replica knows of its primary before it starts.</summary>
/// <param name="SystemIdentifier">Of its cluster.</param>
/// <param name="Timeline">On which it writes.</param>
/// <param name="OldestLog">Position at which the log that it still has begins.</param>
/// <param name="Bytes">Size of all its databases.</param>
/// <param name="SlotState"><c>wal_status</c> of the replica's slot; null: there is no such slot, or it was never used.</param>
/// <param name="SlotExists">True: the slot is there.</param>
internal sealed record PrimaryFacts(ulong SystemIdentifier, int Timeline, LogPosition OldestLog, long Bytes, string? SlotState, bool SlotExists);

/// <summary>Sees to it that a replica has data from which it can follow its primary: what it has, or a new copy.</summary>
internal static class ReplicaPreparation
{
    private const string Facts = """
        SELECT s.system_identifier, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline,
               (SELECT min(name) FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$') AS oldest,
               (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size') AS segment,
               (SELECT sum(pg_database_size(oid))::bigint FROM pg_database) AS bytes,
               (SELECT coalesce(wal_status, 'new') FROM pg_replication_slots WHERE slot_name = $1) AS slot
        FROM pg_control_system() s
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SlotPatience = TimeSpan.FromSeconds(20);

    /// <summary>Does it. With data of its own it also starts while the primary is away.</summary>
    /// <exception cref="AshlarException">ASH7006, ASH7011, ASH7012, ASH7016.</exception>
    public static async Task RunAsync(
        PostgresOptions options, DataFolder folder, string programs, Action<string> say, TimeProvider time, CancellationToken cancellation)
    {
        folder.ClearPreparing();
        var control = folder.HasData ? await ControlAsync(folder.Data, programs, cancellation) : null;
        await using var source = NpgsqlDataSource.Create(Connections.Replicator(options.Follows!.Value.Port, options.Passwords[ClusterNames.Replicator]));
        var slot = ClusterNames.Slot(options.Index);
        var primary = await AskAsync(source, options, slot, patient: control is null, cancellation);
        if (primary is null)
        {
            say("its primary does not answer; it starts with what it has");
            RequireCopy(folder);
            return;
        }

        var why = control is null ? "there is no data yet" : WhyClone(control, primary);
        if (why is null)
        {
            RequireCopy(folder);
            if (!primary.SlotExists)
            {
                await Slots.MakeAsync(source, slot, cancellation);
            }

            folder.DeleteReplaced();
            return;
        }

        if (folder.HasData && !folder.IsStandby)
        {
            throw PostgresErrors.OtherCluster(folder.Data);
        }

        say($"{options.Follows.Value.Instance} is copied: {why}");
        FreshCluster.RequireRoom(folder, primary.Bytes + FreshCluster.NeedsBytes);
        await Slots.MakeAnewAsync(source, slot, SlotPatience, cancellation);
        await CloneAsync(options, folder, programs, slot, cancellation);
        if (folder.Install(time) is not null)
        {
            folder.DeleteReplaced();
        }
    }

    /// <summary>Why what a replica has is of no use, or null.</summary>
    public static string? WhyClone(ControlData own, PrimaryFacts primary) =>
        own.SystemIdentifier != primary.SystemIdentifier ? "its data is of another cluster"
        : own.Timeline > primary.Timeline ? $"it is on timeline {own.Timeline} and its primary on {primary.Timeline}"
        : primary.SlotState == "lost" ? "the primary could not keep the log that it needs"
        : own.Redo.CompareTo(primary.OldestLog) < 0 && own.Timeline == primary.Timeline ? "the primary no longer has the log that it needs"
        : null;

    /// <summary>What <c>pg_controldata</c> says.</summary>
    /// <exception cref="AshlarException">ASH7008.</exception>
    public static async Task<ControlData> ControlAsync(string data, string programs, CancellationToken cancellation)
    {
        var result = await Tool.RunAsync(Path.Combine(programs, "pg_controldata"), [data], cancellation: cancellation);
        return result.ExitCode == 0 && ControlData.Parse(result.Output) is { } control ? control : throw PostgresErrors.ToolFailed("pg_controldata", result.Reason);
    }

    private static void RequireCopy(DataFolder folder)
    {
        if (!folder.IsStandby)
        {
            throw PostgresErrors.OtherCluster(folder.Data);
        }
    }

    private static async Task<PrimaryFacts?> AskAsync(NpgsqlDataSource source, PostgresOptions options, string slot, bool patient, CancellationToken cancellation)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await AskAsync(source, slot, cancellation);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                if (!patient)
                {
                    return null;
                }

                if (TimeProvider.System.GetElapsedTime(began) > Patience)
                {
                    throw PostgresErrors.PrimaryUnreachable(options.Instance, options.Follows!.Value.Instance, e.Message);
                }
            }

            await Task.Delay(Again, cancellation);
        }
    }

    private static async Task<PrimaryFacts> AskAsync(NpgsqlDataSource source, string slot, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(Facts);
        command.Parameters.AddWithValue(slot);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        var state = await reader.IsDBNullAsync(5, cancellation) ? null : reader.GetString(5);
        return new PrimaryFacts(
            unchecked((ulong)reader.GetInt64(0)), reader.GetInt32(1), PositionOf(reader.GetString(2), reader.GetInt64(3)), reader.GetInt64(4), state, state is not null);
    }

    /// <summary>Position at which a log file begins: timeline, then the number of the segment in two halves (manual, section 30.5).</summary>
    internal static LogPosition PositionOf(string file, long segment)
    {
        var high = Convert.ToUInt64(file.Substring(8, 8), 16);
        var low = Convert.ToUInt64(file.Substring(16, 8), 16);
        return new LogPosition((high << 32) + (low * (ulong)segment));
    }

    private static async Task CloneAsync(PostgresOptions options, DataFolder folder, string programs, string slot, CancellationToken cancellation)
    {
        var connection = $"host=127.0.0.1 port={options.Follows!.Value.Port} user={ClusterNames.Replicator} dbname=replication "
            + $"application_name={options.Instance} passfile={Configuration.ConnectionValue(folder.PassFile)}";
        var copied = await Tool.RunAsync(Path.Combine(programs, "pg_basebackup"),
            ["-d", connection, "-D", folder.Preparing, "-X", "stream", "-c", "fast", "-S", slot, "--manifest-checksums=SHA256", "--no-sync", "--no-password"], cancellation: cancellation);
        if (copied.ExitCode != 0)
        {
            throw copied.Error.Contains("No space left", StringComparison.Ordinal)
                ? PostgresErrors.DiskFull(folder.Path, folder.Disk().Free, FreshCluster.NeedsBytes)
                : PostgresErrors.CloneFailed(options.Instance, copied.Reason);
        }

        Files.Write(Path.Combine(folder.Preparing, "standby.signal"), "");
        Configuration.Include(folder.Preparing);
        Files.SyncFileSystem(folder.Preparing);
    }
}
