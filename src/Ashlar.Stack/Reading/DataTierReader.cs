using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>The data tiers as they are written; null: not asked for.</summary>
internal sealed record DataTiers(DatabaseDefinition? Database = null, CacheDefinition? Cache = null, QueueDefinition? Queue = null);

/// <summary>Reads the keys of the tiers that hold data.</summary>
internal static class DataTierReader
{
    public static DataTiers Read(Section root, Report report)
    {
        var tiers = new DataTiers(
            Asked(root, "database", s => Database(s, report)),
            Asked(root, "cache", Cache),
            Asked(root, "queue", s => new QueueDefinition { Redis = Asked(s, "redis", Redis) }));
        if (!report.HasErrors && tiers.Cache is { Redis: null, Memcached: null })
        {
            report.Add(StackErrors.EmptyTier(root.Place("cache"), "cache", "redis: {} or memcached: {}"));
        }

        if (!report.HasErrors && tiers.Queue is { Redis: null })
        {
            report.Add(StackErrors.EmptyTier(root.Place("queue"), "queue", "redis: {}"));
        }

        return tiers;
    }

    private static DatabaseDefinition Database(Section s, Report report) => new()
    {
        Replicas = s.Integer("replicas") ?? 0,
        Version = s.Integer("version"),
        Memory = s.Bytes("memory"),
        Settings = Settings(s, report),
        Machines = MachineReader.Placement(s),
    };

    private static CacheDefinition Cache(Section s) => new()
    {
        Redis = Asked(s, "redis", Redis),
        Memcached = Asked(s, "memcached", Memcached),
    };

    private static MemcachedDefinition Memcached(Section s)
    {
        var placed = new MemcachedDefinition { Machines = MachineReader.Placement(s) };
        return s.Bytes("memory") is { } bytes ? placed with { Memory = bytes } : placed;
    }

    private static RedisDefinition Redis(Section s)
    {
        var placed = new RedisDefinition { Machines = MachineReader.Placement(s) };
        return s.Bytes("memory") is { } bytes ? placed with { Memory = bytes } : placed;
    }

    private static ImmutableSortedDictionary<string, string> Settings(Section s, Report report)
    {
        var settings = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in s.Named("settings") ?? [])
        {
            if (value is ScalarNode { IsNull: false } scalar)
            {
                settings[name.Text] = scalar.Text;
                report.Places[s.Full($"settings.{name.Text}")] = name.At;
            }
            else
            {
                report.Add(StackErrors.WrongType(value.At, s.Full($"settings.{name.Text}"), "text", value.Kind));
            }
        }

        return settings.ToImmutable();
    }

    // A key that stands there with nothing behind it asks for the tier all the same: "redis:" is "redis: {}".
    private static T? Asked<T>(Section s, string key, Func<Section, T> read) where T : class =>
        s.Asked(key) is { } section ? read(section) : null;
}
