using System.Globalization;
using Ashlar.Engines.Watching;

namespace Ashlar.Engines.Redis;

/// <summary>The answer to INFO: <c>name:value</c> lines in sections.</summary>
internal sealed class RedisInfo
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly List<string> _databases = [];

    private RedisInfo(string text)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon <= 0 || line[0] == '#')
            {
                continue;
            }

            var (name, value) = (line[..colon].ToString(), line[(colon + 1)..].ToString());
            _values[name] = value;
            if (value.StartsWith("keys=", StringComparison.Ordinal))
            {
                _databases.Add(value);
            }
        }
    }

    /// <summary>Reads it; what is not there is empty or 0.</summary>
    public static RedisInfo Parse(string text) => new(text);

    /// <summary>A text, or empty.</summary>
    public string Text(string name) => _values.GetValueOrDefault(name, "");

    /// <summary>A number, or 0.</summary>
    public long Number(string name) => long.TryParse(Text(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <summary>Keys of all databases: <c>db0:keys=1,expires=0,…</c>.</summary>
    public long Keys => _databases.Sum(value =>
        long.TryParse(value.AsSpan(5, (value.IndexOf(',') is > 5 and var end ? end : value.Length) - 5), NumberStyles.None, CultureInfo.InvariantCulture, out var keys) ? keys : 0);

    /// <summary>Why it cannot write what it must keep; null: it can, or keeps nothing.</summary>
    public string? WriteTrouble =>
        Text("aof_enabled") != "1" ? null
        : Text("aof_last_write_status") == "err" ? "its log of writes"
        : Text("aof_last_bgrewrite_status") == "err" ? "writing its log anew"
        : null;

    /// <summary>The figures in it.</summary>
    public EngineFigures Figures() => new()
    {
        Run = Text("run_id"),
        Memory = Number("used_memory"),
        MemoryLimit = Number("maxmemory"),
        Keys = Keys,
        Connections = Number("connected_clients"),
        Blocked = Number("blocked_clients"),
        Hits = Number("keyspace_hits"),
        Misses = Number("keyspace_misses"),
        Evictions = Number("evicted_keys"),
        Commands = Number("total_commands_processed"),
        Rejected = Number("rejected_connections"),
        WriteTrouble = Text("aof_last_write_status") == "err" ? WriteTrouble : null,
        Loaded = Text("loading") == "1" && double.TryParse(Text("loading_loaded_perc"), NumberStyles.Float, CultureInfo.InvariantCulture, out var part) ? part : null,
    };
}
