using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Postgres;

/// <summary>The errors of this room that a person can meet, one method a code: ASH7001 to ASH7099.</summary>
public static class PostgresErrors
{
    private const string Tier = "database";

    /// <summary>ASH7001: PostgreSQL, or the version that is asked for, is not on this machine.</summary>
    public static AshlarException NotInstalled(int? version, IReadOnlyCollection<int> installed) => New("ASH7001",
        $"{(version is { } v ? $"PostgreSQL {v}" : "PostgreSQL")} is not installed on this machine"
            + (installed.Count == 0 ? "." : $"; installed: {string.Join(", ", installed)}."),
        $"Run 'ashlar doctor --fix', or: apt-get install -y --no-install-recommends postgresql-{version ?? PostgresVersions.Proven}"
            + (version is not null && installed.Count > 0 ? "; or leave out 'database: {version}'." : "."));

    /// <summary>ASH7002: a major version that is not in the table.</summary>
    public static AshlarException UnknownVersion(int version) => New("ASH7002",
        $"PostgreSQL {version} is {(version < PostgresVersions.Oldest ? "too old" : "newer than this Ashlar knows")}: {PostgresVersions.Oldest} to {PostgresVersions.Newest} are known.",
        $"Use one of these, {PostgresVersions.Proven} by preference: 'database: {{version: {PostgresVersions.Proven}}}'.");

    /// <summary>ASH7003: the data is of another major version than the one asked for.</summary>
    public static AshlarException OtherVersion(string folder, int found, int wanted) => New("ASH7003",
        $"The data in {folder} is of PostgreSQL {found}, and 'database: {{version}}' asks for {wanted}.",
        $"Set 'database: {{version: {found}}}', or leave it out; to move to {wanted}: 'ashlar pg backup', then into a new stack with 'ashlar pg restore'. Nothing was changed.");

    /// <summary>ASH7004: the data belongs to another user.</summary>
    public static AshlarException OtherOwner(string folder, string owner, string user) => New("ASH7004",
        $"The data in {folder} belongs to user {owner}, and PostgreSQL runs as {user} here.",
        $"Run the stack as it ran before, or give the data over: chown -R {user}: {folder}. Nothing was changed.");

    /// <summary>ASH7005: the folder is not empty and holds no whole cluster.</summary>
    public static AshlarException NotACluster(string folder, string missing) => New("ASH7005",
        $"The folder {folder} is not empty, but no whole PostgreSQL data either: {missing}.",
        "Put back what is missing, or move the folder away (mv) so that a new database is made. Nothing was changed.");

    /// <summary>ASH7006: too little room on the disk.</summary>
    public static AshlarException DiskFull(string folder, long free, long needed) => New("ASH7006",
        $"The disk under {folder} has {Size(free)} free; PostgreSQL needs {Size(needed)} to start.",
        "Make room on it: the database starts by itself then. Nothing was changed, and nothing is lost.");

    /// <summary>ASH7007: the system has not the locale that the data needs.</summary>
    public static AshlarException WrongLocale(string folder, string said) => New("ASH7007",
        $"The data in {folder} needs a locale that this machine does not have: {said}.",
        "Install it (package locales, then locale-gen); with another one indexes on text would be wrong. Nothing was changed.");

    /// <summary>ASH7008: a program of PostgreSQL failed.</summary>
    public static AshlarException ToolFailed(string tool, string said) => New("ASH7008",
        $"{tool} failed: {said}.", "Correct what it says; the database starts by itself then.");

    /// <summary>ASH7009: a setting of the stack file that would break what Ashlar relies on.</summary>
    public static AshlarError SettingRefused(string name, string value, string reason) => Error("ASH7009",
        $"'database: {{settings: {{{name}: {value}}}}}' cannot be: {reason}.", $"Remove {name} from the settings.");

    /// <summary>ASH7010: more replicas than there may be.</summary>
    public static AshlarException TooManyReplicas(int count) => New("ASH7010",
        $"There cannot be {count} replicas: 0 to {ClusterNames.MostReplicas} are possible.", $"ashlar scale database.replicas={ClusterNames.MostReplicas}");

    /// <summary>ASH7011: a replica has no data yet, and nothing to copy it from.</summary>
    public static AshlarException PrimaryUnreachable(string instance, string primary, string said) => New("ASH7011",
        $"{instance} cannot copy its data from {primary}: {said.TrimEnd('.')}.", $"It is tried again until {primary} answers; 'ashlar logs {primary}' says how that one is.");

    /// <summary>ASH7012: the copy of the primary failed.</summary>
    public static AshlarException CloneFailed(string instance, string said) => New("ASH7012",
        $"The copy of the primary for {instance} failed: {said.TrimEnd('.')}.", "It is tried again; what the replica had before is untouched.");

    /// <summary>ASH7013: the data may be read by others, which PostgreSQL refuses.</summary>
    public static AshlarException OpenToOthers(string folder, string mode) => New("ASH7013",
        $"The data in {folder} has mode {mode}; PostgreSQL starts only if nobody else can read it.", $"chmod 0700 {folder}");

    /// <summary>ASH7014: the command line of the tier is malformed.</summary>
    public static AshlarException Arguments(string what) => New("ASH7014",
        $"ashlar postgres: {what}.", "This command line is written by the agent, not by people.");

    /// <summary>ASH7015: what lies in the folder is a replica's, and a primary was to start there.</summary>
    public static AshlarException IsAReplica(string folder) => New("ASH7015",
        $"The data in {folder} is a replica's (standby.signal), and the primary was to start on it.",
        "If it is to become the primary, with what it has: remove standby.signal from it, then ashlar restart database. Nothing was changed.");

    /// <summary>ASH7016: the data belongs to another cluster than the primary's, and is no replica's.</summary>
    public static AshlarException OtherCluster(string folder) => New("ASH7016",
        $"The data in {folder} is a database of its own, not a copy of this stack's primary.",
        "Move it away (mv), and the replica is cloned anew. Nothing was changed.");

    /// <summary>ASH7017: the primary has held data, and its folder has none.</summary>
    internal static AshlarException DataMissing(DataFolder folder, DateTimeOffset since, IEnumerable<DataFolder> copies) => New("ASH7017",
        $"The database has held data since {HeldData.Show(since)}, and there is none in {folder.Data}. No new one was made.",
        "Mount its volume, or put the folder back; it then starts by itself, or by 'ashlar up' where the stack is down."
            + (copies.FirstOrDefault() is { } copy ? $" A replica still has a copy in {copy.Data}: ashlar down, move it to {folder.Data}, and remove standby.signal from it." : "")
            + $" If what it held is of no use any more: touch {Path.Combine(folder.Path, HeldData.StartEmpty)}; then run what makes its tables, the release command as a rule: ashlar run COMMAND");

    /// <summary>ASH7018: PostgreSQL does not know a setting.</summary>
    public static AshlarError UnknownSetting(string name, string? nearest) => Error("ASH7018",
        $"PostgreSQL has no setting {name}.", nearest is null ? $"Remove {name} from 'database: {{settings}}'." : $"Did you mean {nearest}?");

    /// <summary>ASH7019: PostgreSQL does not take the value of a setting.</summary>
    public static AshlarError BadSetting(string name, string said) => Error("ASH7019",
        $"PostgreSQL does not take {name} as it is in 'database: {{settings}}': {said}.", $"Correct {name}, or remove it.");

    /// <summary>ASH7021: the stack has no database.</summary>
    public static AshlarException NoDatabase(string stack) => New("ASH7021",
        $"The stack {stack} has no database.", "Write 'database: {}' into ashlar.yaml, then ashlar up.");

    /// <summary>ASH7027: the primary was stopped by a person.</summary>
    /// <param name="target">What was stopped: the database, or its primary alone.</param>
    public static AshlarException Stopped(string target) => New("ASH7027", $"{target} is stopped, so the database cannot be asked.", $"Run ashlar start {target}.");

    /// <summary>ASH7022: the server cannot be asked.</summary>
    public static AshlarException Unreachable(string instance, int port, string said) => New("ASH7022",
        $"{instance} on port {port} cannot be asked: {said.TrimEnd('.')}.", $"'ashlar ps' shows its state, 'ashlar logs {instance}' what it says.");

    /// <summary>ASH7023: the dump failed; no file is left behind.</summary>
    public static AshlarException BackupFailed(string file, string said) => New("ASH7023",
        $"The backup to {file} failed: {said.TrimEnd('.')}.", "Correct it and repeat the command. No file was left behind.");

    /// <summary>ASH7024: the file is no dump that can be restored.</summary>
    public static AshlarException BackupUnreadable(string file, string said) => New("ASH7024",
        $"{file} cannot be restored: {said.TrimEnd('.')}.", "Use another backup. The database was not touched.");

    /// <summary>ASH7025: the restore failed; the database is as before.</summary>
    public static AshlarException RestoreFailed(string file, string said) => New("ASH7025",
        $"The restore of {file} failed: {said.TrimEnd('.')}.", "The database is as it was before.");

    /// <summary>ASH7026: a restore needs to be told twice.</summary>
    public static AshlarException NotConfirmed(string database, string file) => New("ASH7026",
        $"This would put {file} in the place of the database {database}.", "Repeat it with --yes; what is there now is kept under another name.");

    /// <summary>ASH7028: something is where the backup is to be.</summary>
    public static AshlarException BackupExists(string file, bool isFolder) => New("ASH7028",
        $"{file} is there already.", isFolder ? "It is a folder: name a file in it." : "Name another file, or repeat it with --force: it is replaced when the new one is verified.");

    /// <summary>ASH7037: a backup in the stack's folder goes into its releases.</summary>
    public static AshlarError BackupShipped(string file) => Error("ASH7037",
        $"{file} lies in the stack's folder, so the next 'ashlar up' copies it into the release, where services can read it.",
        "Move it out, name it in .ashlarignore, or leave out FILE: backups then lie in .ashlar/backups.");

    /// <summary>ASH7031: a replica has fallen too far behind and is cloned again.</summary>
    public static AshlarError CannotCatchUp(string instance, string why) => Error("ASH7031",
        $"{instance} cannot catch up ({why}) and is cloned again.",
        "Nothing needs to be done. If it happens again: give 'max_slot_wal_keep_size' more, or the replica a faster disk.");

    /// <summary>ASH7032: pages whose checksum is wrong.</summary>
    public static AshlarError ChecksumFailures(string instance, long count) => Error("ASH7032",
        $"{instance} has read {count} {(count == 1 ? "page" : "pages")} whose checksum is wrong: its disk or memory is damaging data.",
        "Take a backup now (ashlar pg backup), check the hardware, and move to another disk or a replica.");

    /// <summary>ASH7033: the disk of a server is nearly full.</summary>
    public static AshlarError DiskNearlyFull(string instance, long free, long total) => Error("ASH7033",
        $"The disk of {instance} has {Size(free)} of {Size(total)} free.", "Make room on it: a full one stops the database.");

    /// <summary>ASH7034: data of a removed replica that is left because it is not surely a copy.</summary>
    public static AshlarError LeftBehind(string folder, string why) => Error("ASH7034",
        $"{folder} of a removed replica is left in place: {why}.", "Remove it yourself when it is of no use.");

    /// <summary>ASH7036: a version that no test has proven.</summary>
    public static AshlarError Unproven(int version) => Error("ASH7036",
        $"PostgreSQL {version} is not proven with this Ashlar; {PostgresVersions.Proven} is.", "It is set up by what its manual says. Take backups.");

    internal static string Size(long bytes) => bytes >= 1L << 30 ? $"{bytes / (double)(1L << 30):0.#} GiB" : $"{bytes / (double)(1L << 20):0.#} MiB";

    private static AshlarError Error(string code, string message, string next) => new(code, Tier, message, next);

    private static AshlarException New(string code, string message, string next) => new(Error(code, message, next));
}
