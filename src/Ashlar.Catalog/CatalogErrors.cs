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
}
