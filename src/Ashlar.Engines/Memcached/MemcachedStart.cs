using System.Globalization;
using Ashlar.Engines.Preparing;
using Ashlar.Processes;

namespace Ashlar.Engines.Memcached;

/// <summary>Prepares and becomes Memcached.</summary>
internal static class MemcachedStart
{
    /// <summary>Name of the server, and of Debian's package.</summary>
    public const string Program = "memcached";

    private const int Connections = 4096;

    /// <summary>Does it; returns only by throwing.</summary>
    /// <exception cref="Errors.AshlarException">ASH7101, ASH7103, ASH7104, ASH7106, ASH7109.</exception>
    public static void Become(EngineOrder order)
    {
        Preparation.Memory(order, Preparation.MachineMemory());
        var program = Preparation.Program(order, [Program], Program);
        if (SystemUsers.IsRoot)
        {
            throw EngineErrors.RefusesRoot(order.Tier, Program);
        }

        Preparation.Port(order);
        Preparation.Become(order, program, Arguments(order.Port, order.Memory));
    }

    /// <summary>Its arguments: loopback only, no UDP (which answers forged senders), whole MiB for items.</summary>
    internal static string[] Arguments(int port, long memory) =>
    [
        "-l", Engine.Address,
        "-p", port.ToString(CultureInfo.InvariantCulture),
        "-U", "0",
        "-m", (memory >> 20).ToString(CultureInfo.InvariantCulture),
        "-c", Connections.ToString(CultureInfo.InvariantCulture),
    ];
}
