using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Engines.Etcd;
using Ashlar.Engines.Memcached;
using Ashlar.Engines.Redis;
using Ashlar.Errors;

namespace Ashlar.Engines;

/// <summary>
/// Becomes an engine: checks and prepares what it needs as the user that it runs as, then replaces this program by it, so that process,
/// log and limits are the engine's own and nothing of ours stays.
/// </summary>
public static class EngineStart
{
    /// <summary>First word of the program that becomes Redis.</summary>
    internal const string Redis = "redis-server";

    /// <summary>First word of the program that becomes Memcached.</summary>
    internal const string Memcached = "memcached";

    /// <summary>First word of the program that becomes etcd.</summary>
    internal const string Etcd = "etcd";

    /// <summary>Variable with the password of services; gone when the engine runs.</summary>
    internal const string AppPassword = "ASHLAR_ENGINE_APP_PASSWORD";

    /// <summary>Variable with the password of Ashlar itself; gone when the engine runs.</summary>
    internal const string AdminPassword = "ASHLAR_ENGINE_ADMIN_PASSWORD";

    /// <summary>True if the word names an engine that this can become.</summary>
    public static bool Serves(string word) => word is Redis or Memcached or Etcd;

    /// <summary>Becomes the engine; returns only where it cannot, with 1 and the reason on standard error.</summary>
    /// <param name="word">Which engine.</param>
    /// <param name="arguments">As its plan gives them.</param>
    public static async Task<int> RunAsync(string word, string[] arguments)
    {
        try
        {
            var order = EngineOrder.Read(arguments, Environment.GetEnvironmentVariable);
            if (word == Redis)
            {
                await RedisStart.BecomeAsync(order);
            }
            else if (word == Etcd)
            {
                await EtcdStart.BecomeAsync(order with { Tier = EtcdTier.Tier }, EtcdStart.ReadRestore(arguments), EtcdStart.ReadArguments(arguments));
            }
            else
            {
                MemcachedStart.Become(order);
            }
        }
        catch (AshlarException e)
        {
            await Console.Error.WriteAsync(ErrorLines.Write(e.Error));
        }

        return 1;
    }
}

/// <summary>What is to be started, as the plan says.</summary>
/// <param name="Instance"><c>queue.1</c>.</param>
/// <param name="IsQueue">True: nothing may be forgotten.</param>
/// <param name="Folder">Folder of the instance's data.</param>
/// <param name="Memory">Memory for data in bytes.</param>
/// <param name="Port">TCP port on loopback.</param>
/// <param name="AppPassword">Password of services.</param>
/// <param name="AdminPassword">Password of Ashlar itself.</param>
internal sealed record EngineOrder(
    string Instance, bool IsQueue, string Folder, long Memory, int Port, string AppPassword, string AdminPassword)
{
    /// <summary>Tier that it serves, for errors.</summary>
    public string Tier { get; init; } = IsQueue ? RedisQueue.Tier : CacheEngines.Tier;

    /// <summary>Since when it has held data; null: never, or it keeps none.</summary>
    public DateTimeOffset? HeldSince { get; init; }

    /// <summary>Where programs are looked for.</summary>
    public string SearchPath { get; init; } = "";

    /// <summary>Reads it from arguments that only the plan writes, and environment.</summary>
    /// <exception cref="ArgumentException">They are not as the plan writes them.</exception>
    public static EngineOrder Read(string[] arguments, Func<string, string?> environment)
    {
        string Of(string option)
        {
            var at = Array.IndexOf(arguments, option);
            return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : throw new ArgumentException($"{option} is missing.", nameof(arguments));
        }

        return new EngineOrder(
            Of("--instance"),
            Of("--use") == "queue",
            Of("--data"),
            long.Parse(Of("--memory"), CultureInfo.InvariantCulture),
            int.Parse(environment("PORT") ?? "0", CultureInfo.InvariantCulture),
            environment(EngineStart.AppPassword) ?? "",
            environment(EngineStart.AdminPassword) ?? "")
        {
            HeldSince = HeldData.Read(environment(HeldData.Variable)),
            SearchPath = environment("PATH") ?? "",
        };
    }

    /// <summary>All but the passwords.</summary>
    public override string ToString() => $"{Instance} {Folder} {Port}";
}
