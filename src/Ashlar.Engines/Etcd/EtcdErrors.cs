using System.Globalization;
using System.Net;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Engines.Etcd;

/// <summary>The errors of etcd as an engine. Codes ASH7131 to ASH7139; those of all engines are its as well.</summary>
public static class EtcdErrors
{
    /// <summary>ASH7131: a member has held data, and its folder has none.</summary>
    public static AshlarException DataMissing(string instance, string folder, DateTimeOffset since) => New(
        "ASH7131", $"{instance} has held a part of the stack's state since {HeldData.Show(since)}, and there is none in {folder}. It was not started empty.",
        $"Put the folder back; or let the others replace it: they forget the old member and take it in anew (touch {folder}/{HeldData.StartEmpty}).");

    /// <summary>ASH7132: a backup of the state is not whole.</summary>
    public static AshlarException BackupDamaged(string path, string reason, Exception? inner = null) => New(
        "ASH7132", $"The backup {path} cannot be used: {reason}. Nothing was changed.", "Take another backup.", inner);

    /// <summary>ASH7133: a backup could not be written.</summary>
    public static AshlarException BackupFailed(string path, string reason, Exception? inner = null) => New(
        "ASH7133", $"The state could not be saved to {path}: {reason}. What was there before is unchanged.", "Check the folder and the free space, and whether etcd runs; then repeat it.", inner);

    /// <summary>ASH7134: a restore did not succeed.</summary>
    public static AshlarException RestoreFailed(string path, string said) => New(
        "ASH7134", $"The backup {path} could not be restored: {said}.", "Check the folder and the free space of its disk; then start it again.");

    /// <summary>ASH7135: the members of etcd cannot be changed now.</summary>
    public static AshlarException MembersRefused(string what, string said, Exception? inner = null) => New(
        "ASH7135", $"etcd does not {what}: {said}.", "Bring back members that are down until all but the one that is meant run, and repeat it; there can be one new member at a time.", inner);

    /// <summary>ASH7136: a new member did not catch up.</summary>
    public static AshlarException NotCaughtUp(string name, TimeSpan within, Exception? inner = null) => New(
        "ASH7136", string.Create(CultureInfo.InvariantCulture, $"The new member {name} of etcd has not caught up within {within.TotalSeconds:0} s. It has no vote, so nothing depends on it."),
        $"Look at its log (ashlar logs etcd) and whether it reaches the others; then repeat it.", inner);

    /// <summary>ASH7137: this machine has not the address that etcd is to listen on.</summary>
    public static AshlarException AddressNotHere(string instance, IPAddress address, int port) => New(
        "ASH7137", $"{instance} cannot listen on {new IPEndPoint(address, port)}: this machine has no such address.",
        "Give this machine's address as the others reach it, in the key machines of the stack file.");

    /// <summary>ASH7138: a backup of the state is to be written where a file is.</summary>
    public static AshlarException BackupThere(string path) => New(
        "ASH7138", $"There is a file {path} already.", "Give another name, or --force to replace it.");

    /// <summary>ASH7139: the state cannot be restored as things are.</summary>
    public static AshlarException RestoreNotNow(string reason, string next) => New(
        "ASH7139", $"The state cannot be restored: {reason}. Nothing was changed.", $"{next}.");

    /// <summary>ASH7140: etcd's space is nearly used up.</summary>
    public static AshlarException SpaceRunsOut(string machine, long inUse, long quota) => New(
        "ASH7140", string.Create(CultureInfo.InvariantCulture, $"The state's member on {machine} has {inUse * 100 / quota} % of its space in use; at 100 % changes are refused."),
        "Find out what fills the state: many releases with large config vars, or something that is not Ashlar's (docs/state.md).");

    /// <summary>ASH7143: etcd's space is used up; it refuses changes until there is room and its alarm has ended.</summary>
    public static AshlarException SpaceUsedUp(string machine, long size, long inUse, long quota) => New(
        "ASH7143", string.Create(CultureInfo.InvariantCulture, $"The state's member on {machine} has used up its space ({size >> 20} MiB of {quota >> 20}, {inUse >> 20} in use), so changes are refused."),
        "Nothing, where little is in use: the leader makes room and ends the alarm within a minute. Else find out what fills the state (docs/state.md).");

    /// <summary>ASH7141: etcd has found that the data of its members differ.</summary>
    public static AshlarException Corrupt(string machine) => New(
        "ASH7141", $"etcd has found that the state's member on {machine} has other data than the others (its alarm CORRUPT), and refuses changes.",
        "Restore a backup: ashlar state restore FILE --yes. What members had is kept beside it.");

    /// <summary>ASH7142: a member ends, because the others have let it go.</summary>
    public static AshlarException NoMember(string instance) => New(
        "ASH7142", $"{instance} is no member of the stack's etcd any more: the others have replaced it.",
        "Nothing: its machine is told, ends it and keeps its data aside.");

    private static AshlarException New(string code, string message, string next, Exception? inner = null) => new(new AshlarError(code, EtcdTier.Tier, message, next), inner);
}
