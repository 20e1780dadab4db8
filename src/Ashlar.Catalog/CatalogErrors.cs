using Ashlar.Errors;

namespace Ashlar.Catalog;

/// <summary>The errors of the catalog: listening sockets, the channel, the store. Codes ASH4051 to ASH4099, and ASH4015.</summary>
public static class CatalogErrors
{
    private const string Tier = "agent";

    /// <summary>ASH4015: another program listens on the address that the stack wants.</summary>
    /// <param name="address">The address.</param>
    /// <param name="port">The port.</param>
    /// <param name="key">Key of the stack file that says it.</param>
    /// <param name="owner">Who listens; null: unknown.</param>
    /// <param name="file">Path of the stack file; null: unknown.</param>
    public static AshlarException AddressInUse(string address, int port, string key, string? owner = null, string? file = null) => new(new AshlarError(
        "ASH4015", Tier,
        $"Cannot listen on {address}:{port}: {(owner is null ? "the address is in use" : $"{owner} does")}.",
        $"Stop the program that does, or give another port: in {file ?? "ashlar.yaml"} the key {key}."));

    /// <summary>ASH4051: ports below 1024 need a privilege that the agent lacks.</summary>
    public static AshlarException PortNeedsPrivilege(string address, int port, string key) => new(new AshlarError(
        "ASH4051", Tier,
        $"Cannot listen on {address}:{port}: an ordinary user may not open this port.",
        $"Give a port from 1024 up with the key {key}, or start the agent as root (ashlar service install does)."));

    /// <summary>ASH4052: the address belongs to no interface of this machine.</summary>
    public static AshlarException AddressNotHere(string address, int port, string key) => new(new AshlarError(
        "ASH4052", Tier,
        $"Cannot listen on {address}:{port}: this machine has no such address.",
        $"Give an address of this machine, 127.0.0.1, or a bare port for all addresses with the key {key}."));

    /// <summary>ASH4053: the system refuses a listening socket for another reason.</summary>
    public static AshlarException ListenFailed(string address, int port, string key, string reason) => new(new AshlarError(
        "ASH4053", Tier,
        $"Cannot listen on {address}:{port}: {reason}.",
        $"Check the address under the key {key}."));

    /// <summary>ASH4054: another process answers on the Unix socket.</summary>
    public static AshlarException SocketAnswers(string path) => new(new AshlarError(
        "ASH4054", Tier,
        $"Another process already answers on {path}.",
        "Another agent runs this stack: use it, or stop it first with ashlar down."));

    /// <summary>ASH4055: the Unix socket cannot be made.</summary>
    public static AshlarException SocketUnusable(string path, string reason) => new(new AshlarError(
        "ASH4055", Tier,
        $"Cannot open the socket {path}: {reason}.",
        "Check the owner and mode of its folder, and that nothing else bears its name."));

    /// <summary>ASH4060: the store's file cannot be opened or made.</summary>
    public static AshlarException StoreUnusable(string path, string reason, Exception? inner = null) => new(new AshlarError(
        "ASH4060", Tier,
        $"Cannot open the store {path}: {reason}.",
        "Check that its folder exists and who owns it; the agent must run as the user that owns the stack's .ashlar folder."), inner);

    /// <summary>ASH4061: the store's file is damaged, or is not one of Ashlar's.</summary>
    public static AshlarException StoreDamaged(string path, string reason, Exception? inner = null) => new(new AshlarError(
        "ASH4061", Tier,
        $"The store {path} is damaged: {reason}. Nothing was changed in it.",
        "Restore the file from a backup; or move it aside and run ashlar up, which begins again with release v1 and no config vars."), inner);

    /// <summary>ASH4062: the store's file may only be read.</summary>
    public static AshlarException StoreReadOnly(string path, Exception? inner = null) => new(new AshlarError(
        "ASH4062", Tier,
        $"The store {path} cannot be written: the file, its folder or its file system is read-only for this user.",
        "Give the file to the user that the agent runs as, or mount the file system writable."), inner);

    /// <summary>ASH4063: a newer Ashlar has written the store.</summary>
    public static AshlarException StoreNewer(string path, long version, long known) => new(new AshlarError(
        "ASH4063", Tier,
        $"The store {path} has format {version}; this Ashlar knows formats up to {known}.",
        "Run this stack with the newer Ashlar that wrote it."));

    /// <summary>ASH4064: the disk is full.</summary>
    public static AshlarException DiskFull(string path, Exception? inner = null) => new(new AshlarError(
        "ASH4064", Tier,
        $"The disk that holds the store {path} is full; the change was not made.",
        "Free some space and try again: what was acknowledged before is safe."), inner);

    /// <summary>ASH4065: another process has the store open.</summary>
    public static AshlarException StoreInUse(string path, Exception? inner = null) => new(new AshlarError(
        "ASH4065", Tier,
        $"Another process has the store {path} open.",
        "Another agent runs this stack: use it, or stop it first with ashlar down."), inner);

    /// <summary>ASH4066: reading or writing the store fails below us.</summary>
    public static AshlarException StoreFailed(string path, string reason, Exception? inner = null) => new(new AshlarError(
        "ASH4066", Tier,
        $"The store {path} failed: {reason}. A change that was being made was not acknowledged.",
        "Look for disk errors in the system log (dmesg), then start the agent again."), inner);

    /// <summary>ASH4070: nobody answers at any address of etcd.</summary>
    public static AshlarException EtcdUnreachable(string each, Exception? inner = null) => new(new AshlarError(
        "ASH4070", Tier,
        $"No member of etcd can be reached ({each}).",
        "Look with ashlar ps whether etcd runs on these machines, and whether they reach each other. Apps serve on meanwhile."), inner);

    /// <summary>ASH4071: etcd has no majority, so it can neither be read nor written.</summary>
    public static AshlarException NoQuorum(string each, Exception? inner = null) => new(new AshlarError(
        "ASH4071", Tier,
        $"etcd has no majority of its members, so nothing can be read or changed now ({each}).",
        "Bring back machines that have a member, until more than half run; if they are lost for good, restore the state from a backup. Apps serve on meanwhile."), inner);

    /// <summary>ASH4072: a change was sent to etcd and not answered.</summary>
    public static AshlarException OutcomeUnknown(string reason, Exception? inner = null) => new(new AshlarError(
        "ASH4072", Tier,
        $"It is not known whether a change was made: etcd was asked and did not answer ({reason}).",
        "Look at what is there (ashlar status), then repeat the command: what was made already is not made twice."), inner);

    /// <summary>ASH4073: etcd and we do not accept each other's certificates.</summary>
    public static AshlarException EtcdUntrusted(string each, Exception? inner = null) => new(new AshlarError(
        "ASH4073", Tier,
        $"The connection to etcd is refused by TLS ({each}).",
        "Check that this machine's certificate and authority are of this stack and not expired, and that its clock is right; ashlar machines add gives it new ones."), inner);

    /// <summary>ASH4074: etcd's quota is used up.</summary>
    public static AshlarException EtcdFull(string reason, Exception? inner = null) => new(new AshlarError(
        "ASH4074", Tier,
        $"etcd takes no more changes, because its space is used up ({reason}).",
        "Look at ashlar state: within a minute the leader gives back what is not in use; else find out what fills the state (docs/state.md). What was acknowledged is safe."), inner);

    /// <summary>ASH4075: something else than the stack's etcd answers.</summary>
    public static AshlarException NotEtcd(string each, Exception? inner = null) => new(new AshlarError(
        "ASH4075", Tier,
        $"What answers at etcd's address is not this stack's etcd ({each}).",
        "Check the addresses of the members, and what listens there."), inner);

    /// <summary>ASH4076: a certificate or key cannot be read.</summary>
    public static AshlarException CertificateUnusable(string path, string reason, Exception? inner = null) => new(new AshlarError(
        "ASH4076", Tier,
        $"The certificate {path} cannot be used: {reason}.",
        "Check the file and who may read it; ashlar machines add gives a machine new ones."), inner);

    /// <summary>ASH4077: the state was moved away from this file.</summary>
    public static AshlarException StoreMoved(string path, string target) => new(new AshlarError(
        "ASH4077", Tier,
        $"The state of this stack no longer lies in {path}: it was moved to {target}.",
        "Use it there. The file is kept as it was, for the case that the move is to be undone by hand (docs/state.md)."));

    /// <summary>ASH4078: state is to be moved to where some is already.</summary>
    public static AshlarException MoveTargetTaken(string target, string reason) => new(new AshlarError(
        "ASH4078", Tier,
        $"The state cannot be moved to {target}: {reason}. Nothing was changed.",
        "Give an etcd that holds nothing under this stack's name, or delete what is left there."));

    /// <summary>ASH4079: what was copied is not what was there.</summary>
    public static AshlarException MoveDiffers(string target, int expected, int found) => new(new AshlarError(
        "ASH4079", Tier,
        $"After moving the state to {target} it is not the same: {expected} keys were to be there, {found} are, and their contents differ. The old store goes on being the state.",
        "Make sure that nothing else writes to that etcd, then repeat the command."));

    /// <summary>ASH4081: etcd has found that its members' data differ.</summary>
    public static AshlarException EtcdCorrupt(string reason, Exception? inner = null) => new(new AshlarError(
        "ASH4081", Tier,
        $"etcd takes no changes, because it has found that the data of its members differ: its alarm CORRUPT ({reason}). Apps serve on.",
        "Look at ashlar state: it names the member. Restore a backup (ashlar state restore FILE --yes), or end the alarm if you know that the data are right (docs/state.md)."), inner);

    /// <summary>ASH4080: etcd refuses what no stack's etcd refuses.</summary>
    public static AshlarException EtcdRefuses(string reason, Exception? inner = null) => new(new AshlarError(
        "ASH4080", Tier,
        $"etcd refuses a request: {reason}.",
        "Check how this etcd is set up: users and passwords must be off (certificates say who may), and its limits those of docs/state.md."), inner);
}
