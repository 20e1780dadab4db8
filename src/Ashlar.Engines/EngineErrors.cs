using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Errors;

namespace Ashlar.Engines;

/// <summary>The errors of the engines. Codes ASH7101 to ASH7149; each is told by the tier that the engine serves.</summary>
public static class EngineErrors
{
    /// <summary>ASH7101: the engine's program is not on this machine.</summary>
    public static AshlarException ProgramMissing(string tier, string programs, string package) => New(
        "ASH7101", tier, $"There is no {programs} on this machine.", $"apt-get install {package}, or ashlar doctor --fix; or leave the tier out of the stack file.");

    /// <summary>ASH7102: the engine is too old, or does not say its version.</summary>
    public static AshlarException WrongVersion(
        string tier, string path, string found, Version oldest, string why = "the first with users and rights") => New(
        "ASH7102", tier, $"{path} is {found}; at least {oldest} is needed, {why}.", "Install a newer one where the PATH finds it first.");

    /// <summary>ASH7103: less memory than an engine can work with.</summary>
    public static AshlarException MemoryTooSmall(string tier, string instance, long bytes, long least) => New(
        "ASH7103", tier, $"{instance} cannot work with {Show(bytes)} of memory; {Show(least)} are the least.", "Raise its key memory in the stack file.");

    /// <summary>ASH7104: more memory than the machine has.</summary>
    public static AshlarException MemoryTooLarge(string tier, string instance, long bytes, long machine) => New(
        "ASH7104", tier, $"{instance} is to hold {Show(bytes)} in memory, and this machine has {Show(machine)} for everything.",
        "Lower its key memory in the stack file, and leave room for the app.");

    /// <summary>ASH7105: the engine's folder cannot be used.</summary>
    public static AshlarException FolderUnusable(string tier, string folder, string reason, string next) => New(
        "ASH7105", tier, $"The folder {folder} cannot be used: {reason}. Nothing in it was changed.", next);

    /// <summary>ASH7106: another program has the port that the engine keeps.</summary>
    public static AshlarException PortTaken(
        string tier, string instance, int port, string owner, string address = Engine.Address) => New(
        "ASH7106", tier, $"The port of {instance}, {address}:{port}, is held by {owner}.",
        "End that program; or run ashlar up, which gives the engine another port and tells the services.");

    /// <summary>ASH7107: the log of a queue cannot be read beyond some point, which is not its end.</summary>
    public static AshlarError LogDamaged(string tier, string instance, string said) => new(
        "ASH7107", tier, $"What {instance} has written down is damaged, and it does not start: {said}. Nothing was deleted.",
        $"Copy .ashlar/data/{instance} first; redis-check-aof --fix on the .manifest in its appendonlydir then cuts off all that follows the damage. Or put a copy of the folder back.");

    /// <summary>ASH7108: the engine could not write while it started.</summary>
    public static AshlarError CannotWrite(string tier, string instance, string said) => new(
        "ASH7108", tier, $"{instance} cannot write to .ashlar/data/{instance} and does not start: {said}.", "Free space on that disk; it is started again by itself.");

    /// <summary>ASH7109: the engine does not run as root, and there is no other user who can reach the stack.</summary>
    public static AshlarException RefusesRoot(string tier, string program) => New(
        "ASH7109", tier, $"{program} does not run as root, and no unprivileged user can reach the stack's folder.",
        "Keep the stack where others may enter, or name a user by the key user.");

    /// <summary>ASH7110: a queue is nearly full, or is.</summary>
    public static AshlarError NearlyFull(string tier, string instance, long used, long limit) => new(
        "ASH7110", tier, string.Create(CultureInfo.InvariantCulture,
            $"{instance} holds {Show(used)} of {Show(limit)} ({100.0 * used / limit:0} %); when it is full it refuses writes, and forgets nothing."),
        "Let more workers run (ashlar scale), look for jobs that nobody takes, or raise queue.redis.memory.");

    /// <summary>ASH7111: a queue has thrown something away, which its settings forbid.</summary>
    public static AshlarError Evicted(string tier, string instance, long count) => new(
        "ASH7111", tier, $"{instance} has thrown {count} keys away although it must forget nothing: someone has changed its maxmemory-policy.",
        $"ashlar restart {instance} gives it its settings back; find out who changed them.");

    /// <summary>ASH7112: a queue cannot write its log, so what it acknowledges would be lost.</summary>
    public static AshlarError LogNotWritten(string tier, string instance, string what) => new(
        "ASH7112", tier, $"{instance} cannot write to its disk ({what}) and refuses writes until it can.", "Free space on the disk that holds .ashlar/data.");

    /// <summary>ASH7113: an engine has turned clients away because it has too many.</summary>
    public static AshlarError Rejected(string tier, string instance, long count, long connections) => new(
        "ASH7113", tier, $"{instance} has turned {count} connections away; it has {connections}.", "Let the app keep fewer open: a pool for each process.");

    /// <summary>ASH7114: the figures of the engines cannot be written down.</summary>
    public static AshlarError FiguresNotWritten(string tier, string folder, string reason) => new(
        "ASH7114", tier, $"The figures of the {tier} cannot be written to {folder}: {reason}. The engines run all the same.", "Free space on that disk, then ashlar up.");

    /// <summary>ASH7115: an engine answers what its protocol does not allow, or says no.</summary>
    public static AshlarException BadAnswer(string tier, string reason) => New(
        "ASH7115", tier, $"The engine's answer cannot be used: {reason}.", "ashlar ps shows whether it runs; ashlar logs what it says.");

    /// <summary>ASH7116: the engine's own program could not be started to ask for its version.</summary>
    public static AshlarException NotRunnable(string tier, string path, string reason) => New(
        "ASH7116", tier, $"{path} cannot be run: {reason}.", "Install it anew.");

    /// <summary>ASH7117: an engine that nobody watches works on the data still.</summary>
    public static AshlarException FolderInUse(string tier, string instance, string folder, int? pid) => New(
        "ASH7117", tier, $"{instance} cannot start: another engine{(pid is null ? "" : $", pid {pid},")} works on {folder}, and two would ruin it.",
        string.Create(CultureInfo.InvariantCulture, $"End it: {(pid is null ? $"fuser {folder} names it" : $"kill {pid}")}. {instance} then starts by itself."));

    /// <summary>ASH7118: a queue has held data, and its folder has none.</summary>
    public static AshlarException DataMissing(string tier, string instance, string folder, DateTimeOffset since) => New(
        "ASH7118", tier, $"{instance} has held data since {HeldData.Show(since)}, and there is none in {folder}. It was not started empty.",
        $"Mount its volume, or put the folder back; it then starts by itself, or by 'ashlar up' where the stack is down. If what it held is of no use any more: touch {Path.Combine(folder, HeldData.StartEmpty)}");

    private static string Show(long bytes) => bytes >= 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.#} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes");

    private static AshlarException New(string code, string tier, string message, string next) => new(new AshlarError(code, tier, message, next));
}
