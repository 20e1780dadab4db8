using Ashlar.Errors;

namespace Ashlar.Catalog;

/// <summary>The errors of the catalog: listening sockets, the channel, the store. Codes ASH4050 to ASH4099.</summary>
public static class CatalogErrors
{
    private const string Tier = "agent";

    /// <summary>ASH4050: another program listens on the address that the stack wants.</summary>
    public static AshlarException AddressInUse(string address, int port, string key) => new(new AshlarError(
        "ASH4050", Tier,
        $"Cannot listen on {address}:{port}: the address is in use.",
        $"Stop the program that holds it, or give another port with the key {key}."));

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
}
