using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Ashlar.Errors;

namespace Ashlar.Postgres;

/// <summary>What a server's settings follow from.</summary>
/// <param name="Version">Major version.</param>
/// <param name="Memory">Bytes that the server may count on.</param>
/// <param name="Disk">Size in bytes of the disk that its data lies on.</param>
internal sealed record Machine(int Version, long Memory, long Disk)
{
    private const long LeastShare = 512L << 20;
    private const long MostShare = 8L << 30;

    /// <summary>Memory of a server that has no limit: an eighth of the machine's, 512 MiB to 8 GiB, because apps live there too.</summary>
    public static long Share(long machine) => Math.Clamp(machine / 8, Math.Min(LeastShare, machine), MostShare);
}

/// <summary>Settings that Ashlar gives a server, by version. Source: the manual of each version, chapter 20.</summary>
internal static partial class SettingsTable
{
    private const int Connections = 100;
    private const long Mebi = 1L << 20;

    /// <summary>Grows when the table says something else that running servers must learn: they are then restarted once.</summary>
    public const int Generation = 1;

    private sealed record Setting(string Name, Func<Machine, string> Value, int From = PostgresVersions.Oldest, int To = int.MaxValue);

    private static readonly ImmutableArray<Setting> Table =
    [
        new("max_connections", _ => Text(Connections)),
        new("shared_buffers", m => Bytes(Math.Max(16 * Mebi, m.Memory / 4))),
        new("effective_cache_size", m => Bytes(Math.Max(64 * Mebi, m.Memory / 4 * 3))),
        new("work_mem", m => Bytes(Math.Clamp(m.Memory / 4 / Connections, 4 * Mebi, 64 * Mebi))),
        new("maintenance_work_mem", m => Bytes(Math.Clamp(m.Memory / 16, 16 * Mebi, 1024 * Mebi))),

        // Streaming: the same on every server, so that any can take any role.
        new("wal_level", _ => "replica"),
        new("wal_log_hints", _ => "on"),
        new("hot_standby", _ => "on"),
        new("max_wal_senders", _ => "16"),
        new("max_replication_slots", _ => "16"),
        new("wal_keep_size", m => Bytes(Math.Clamp(m.Disk / 50, 16 * Mebi, 512 * Mebi))),
        new("max_slot_wal_keep_size", m => Bytes(Math.Clamp(m.Disk / 10, 64 * Mebi, 64L << 30))),
        new("max_wal_size", m => Bytes(Math.Clamp(m.Disk / 20, 64 * Mebi, 1024 * Mebi))),
        new("min_wal_size", m => Bytes(Math.Clamp(m.Disk / 100, 32 * Mebi, 80 * Mebi))),
        new("wal_sender_timeout", _ => "10s"),
        new("wal_receiver_timeout", _ => "10s"),
        new("wal_retrieve_retry_interval", _ => "1s"),
        new("checkpoint_completion_target", _ => "0.9", To: 13), // the default since 14

        // After a crash all of the data is written to disk once; one call for the file system is faster than one for each file.
        new("recovery_init_sync_method", _ => "syncfs", From: 14),

        // A session whose client is gone ends its statement.
        new("client_connection_check_interval", _ => "10s", From: 14),
        new("tcp_keepalives_idle", _ => "60s"),

        // The text of the log is read by programs and by people everywhere.
        new("password_encryption", _ => "scram-sha-256"),
        new("log_destination", _ => "stderr"),
        new("logging_collector", _ => "off"),
        new("log_line_prefix", _ => "%m [%p] %q%u@%d "),
        new("log_timezone", _ => "UTC"),
        new("log_checkpoints", _ => "on"),
        new("log_lock_waits", _ => "on"),
        new("timezone", _ => "UTC"),
        new("lc_messages", _ => "C"),
        new("lc_monetary", _ => "C"),
        new("lc_numeric", _ => "C"),
        new("lc_time", _ => "C"),
    ];

    private const string Ours = "Ashlar sets it, and the other tiers go by it";

    private static readonly ImmutableDictionary<string, string> Refused = new Dictionary<string, string>
    {
        ["port"] = Ours, ["listen_addresses"] = Ours, ["data_directory"] = Ours, ["hba_file"] = Ours, ["ident_file"] = Ours, ["config_file"] = Ours,
        ["cluster_name"] = Ours, ["external_pid_file"] = Ours, ["unix_socket_directories"] = Ours, ["unix_socket_permissions"] = Ours,
        ["primary_conninfo"] = Ours, ["primary_slot_name"] = Ours, ["restore_command"] = Ours, ["recovery_target_timeline"] = Ours,
        ["promote_trigger_file"] = Ours, ["include"] = "settings stand in the stack file alone", ["include_dir"] = "settings stand in the stack file alone",
        ["include_if_exists"] = "settings stand in the stack file alone", ["logging_collector"] = "'ashlar logs' shows what the server writes to its standard error",
        ["log_destination"] = "'ashlar logs' shows what the server writes to its standard error", ["ssl"] = "the server listens on loopback only",
    }.ToImmutableDictionary(StringComparer.Ordinal);

    private static readonly ImmutableDictionary<string, (Func<string, bool> Bad, string Reason)> RefusedValues =
        new Dictionary<string, (Func<string, bool>, string)>
        {
            ["wal_level"] = (v => v is not ("replica" or "logical"), "replicas and backups need 'replica' or 'logical'"),
            ["hot_standby"] = (IsOff, "replicas serve reads"),
            ["fsync"] = (IsOff, "a power failure would destroy the database"),
            ["full_page_writes"] = (IsOff, "a power failure would destroy the database"),
            ["password_encryption"] = (v => v != "scram-sha-256", "the server lets in nobody without SCRAM"),
            ["max_slot_wal_keep_size"] = (v => v.StartsWith('-'), "a replica that is away would fill the disk"),
            ["max_wal_senders"] = (TooFew, $"{ClusterNames.MostReplicas + 2} at least are needed for replicas and backups"),
            ["max_replication_slots"] = (TooFew, $"{ClusterNames.MostReplicas + 2} at least are needed for replicas and backups"),
            ["max_connections"] = (v => !int.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out var n) || n is < 10 or > 10_000, "it is a number from 10 to 10000"),
        }.ToImmutableDictionary(StringComparer.Ordinal);

    /// <summary>Settings of a standby that must not be smaller than its primary's, with their names in <c>pg_controldata</c>.</summary>
    public static ImmutableArray<(string Setting, string ControlData)> Floors { get; } =
    [
        ("max_connections", "max_connections setting"), ("max_worker_processes", "max_worker_processes setting"),
        ("max_wal_senders", "max_wal_senders setting"), ("max_prepared_transactions", "max_prepared_xacts setting"),
        ("max_locks_per_transaction", "max_locks_per_xact setting"),
    ];

    /// <summary>Settings of a server of this version, those of the stack above ours.</summary>
    public static ImmutableSortedDictionary<string, string> For(Machine machine, IReadOnlyDictionary<string, string> own)
    {
        var settings = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var setting in Table.Where(s => machine.Version >= s.From && machine.Version <= s.To))
        {
            settings[setting.Name] = setting.Value(machine);
        }

        foreach (var (name, value) in own)
        {
            settings[name.ToLowerInvariant()] = value;
        }

        return settings.ToImmutable();
    }

    /// <summary>Refuses settings that would break what the rest relies on.</summary>
    /// <exception cref="AshlarException">ASH7009.</exception>
    public static void Check(IReadOnlyDictionary<string, string> own)
    {
        foreach (var (_, error) in Mistakes(own))
        {
            throw new AshlarException(error);
        }
    }

    /// <summary>Settings that would break what the rest relies on, by name as it is written.</summary>
    public static IEnumerable<(string Name, AshlarError Error)> Mistakes(IReadOnlyDictionary<string, string> own)
    {
        foreach (var (written, value) in own)
        {
            if (WhyNot(written.ToLowerInvariant(), value) is { } why)
            {
                yield return (written, PostgresErrors.SettingRefused(written, value.AsSpan().ContainsAny('\0', '\n', '\r') ? "…" : Short(value), why));
            }
        }
    }

    private static string? WhyNot(string name, string value) =>
        !Name().IsMatch(name) ? "that is no name of a setting"
        : value.AsSpan().ContainsAny('\0', '\n', '\r') || value.Length > 1000 ? "a value is one line of at most 1000 characters"
        : Refused.TryGetValue(name, out var reason) ? reason
        : name.StartsWith("recovery_target", StringComparison.Ordinal) ? Ours
        : RefusedValues.TryGetValue(name, out var rule) && rule.Bad(value.Trim().ToLowerInvariant()) ? rule.Reason
        : null;

    private static string Short(string value) => value.Length > 40 ? value[..40] + "…" : value;

    // PostgreSQL takes any prefix that means one thing: of, off, f, fa, …, n, no, 0.
    private static bool IsOff(string value) =>
        value is "0" || (value.Length > 0 && ("false".StartsWith(value, StringComparison.Ordinal) || "no".StartsWith(value, StringComparison.Ordinal)))
            || (value.Length > 1 && "off".StartsWith(value, StringComparison.Ordinal));

    private static bool TooFew(string value) =>
        !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < ClusterNames.MostReplicas + 2;

    // kB is PostgreSQL's word for 1024 bytes.
    private static string Bytes(long bytes) => $"{Text(bytes / 1024)}kB";

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^[a-z_][a-z0-9_$]{0,62}(\.[a-z_][a-z0-9_$]{0,62})?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
