using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Engines.Redis;

/// <summary>What a Redis is for.</summary>
internal enum RedisUse
{
    /// <summary>It forgets the least recently used when it is full, and everything when it ends.</summary>
    Cache,

    /// <summary>It refuses writes when it is full, and loses at most the last second when the machine does.</summary>
    Queue,
}

/// <summary>The text of a Redis' configuration file. Passwords stand in it as hashes only.</summary>
/// <param name="Use">What it is for.</param>
/// <param name="Port">TCP port on loopback.</param>
/// <param name="Folder">Absolute folder of its data.</param>
/// <param name="Memory">Memory for data in bytes.</param>
/// <param name="AppPassword">Password of services.</param>
/// <param name="AdminPassword">Password of Ashlar and of people who command the stack.</param>
internal sealed record RedisSettings(RedisUse Use, int Port, string Folder, long Memory, string AppPassword, string AdminPassword)
{
    /// <summary>The oldest version with users, without which an app could end its own engine.</summary>
    public static Version Oldest { get; } = new(6, 0);

    /// <summary>The version for which all that these settings know is written.</summary>
    public static Version Newest { get; } = new(7, 0);

    /// <summary>Name of a queue's log.</summary>
    public const string Log = "appendonly.aof";

    /// <summary>Folder of the log's parts: Redis' own default, which older versions do not know.</summary>
    public const string LogFolder = "appendonlydir";

    private static readonly Version _withChannelRights = new(6, 2);

    // Everything that concerns data, clearing it and asking for figures included: Rails' and Django's caches clear by FLUSHDB, BullMQ and
    // Sidekiq read INFO, BullMQ names and lists its workers' connections. Not what concerns the server (@admin: ACL, CONFIG, DEBUG,
    // MODULE, MONITOR, REPLICAOF, SAVE, SHUTDOWN, …), nor what connects to other hosts or takes a foreign dump.
    private const string AppCommands = "+@all -@admin -migrate -restore -restore-asking +client|list +client|kill +role";

    /// <summary>The file for a server of this version.</summary>
    public string Write(Version version)
    {
        var channels = version >= _withChannelRights ? "&* " : "";
        var lines = new List<string>
        {
            "# Written by ashlar at every start; what is changed here is lost.",
            $"bind {Engine.Address}",
            "protected-mode yes",
            string.Create(CultureInfo.InvariantCulture, $"port {Port}"),
            $"dir {Quote(Folder)}",
            "daemonize no",
            "pidfile \"\"",
            "logfile \"\"",
            "loglevel notice",
            "always-show-logo no",
            "maxclients 10000",
            "tcp-keepalive 300",
            string.Create(CultureInfo.InvariantCulture, $"maxmemory {Memory}"),
            "save \"\"",
            "user default off resetpass resetkeys -@all",
            $"user {RedisInstance.AppUser} on #{Hash(AppPassword)} ~* {channels}{AppCommands}",
            $"user {RedisInstance.AdminUser} on #{Hash(AdminPassword)} ~* {channels}+@all",
        };
        if (version >= _withChannelRights)
        {
            // A title of its own is written over the environment, by whose tag a process is found that nobody watches any more.
            lines.Add("set-proc-title no");
        }

        lines.AddRange(Use == RedisUse.Cache
            ? ["maxmemory-policy allkeys-lru", "appendonly no"]
            :
            [
                "maxmemory-policy noeviction",
                "appendonly yes",
                $"appendfilename {Log}",
                "appendfsync everysec",
                // A power cut leaves half a command at the end, which was never acknowledged as safe; anything else is for people to judge.
                "aof-load-truncated yes",
                "aof-use-rdb-preamble yes",
                "auto-aof-rewrite-percentage 100",
                "auto-aof-rewrite-min-size 64mb",
            ]);
        return string.Concat(lines.Select(line => line + "\n"));
    }

    private static string Hash(string password) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(password)));

    private static string Quote(string path) =>
        $"\"{path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
