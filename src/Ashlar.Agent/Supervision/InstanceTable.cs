using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Agent.Reconciling;
using Ashlar.Catalog.Store;

namespace Ashlar.Agent.Supervision;

/// <summary>
/// What is observed, in memory and in the store. The store is behind only when it cannot be written; it is brought up to date
/// as soon as it can.
/// </summary>
internal sealed class InstanceTable(IStore store)
{
    private readonly SortedDictionary<string, ObservedInstance> _instances = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unsaved = new(StringComparer.Ordinal);
    private long _generation;

    /// <summary>Where it lies in the store.</summary>
    public static IEnumerable<string> Prefixes { get; } = [Keys.Observed, Keys.Generation];

    /// <summary>All instances.</summary>
    public IReadOnlyCollection<ObservedInstance> All => _instances.Values;

    /// <summary>The generation that was last given out.</summary>
    public long Generation => _generation;

    /// <summary>True: something is not in the store yet.</summary>
    public bool Unsaved => _unsaved.Count > 0;

    /// <summary>The instance of an id, or null.</summary>
    public ObservedInstance? Find(string id) => _instances.GetValueOrDefault(id);

    /// <summary>Reads what earlier agents left.</summary>
    public async ValueTask LoadAsync()
    {
        foreach (var entry in (await store.ListAsync(Keys.Observed)).Entries)
        {
            if (JsonSerializer.Deserialize(entry.Value.Span, ObservedJson.Default.ObservedInstance) is { } instance)
            {
                _instances[instance.Id] = instance;
            }
        }

        var generation = await store.GetAsync(Keys.Generation) is { } counter ? BitConverter.ToInt64(counter.Value.Span) : 0;
        _generation = Math.Max(generation, _instances.Values.Select(o => o.Generation).DefaultIfEmpty(0).Max());
    }

    /// <summary>Adds an instance of a new generation. It is in the store before this returns: what is started can be found again.</summary>
    public async ValueTask<ObservedInstance> AddAsync(ObservedInstance template)
    {
        var instance = template with { Generation = _generation + 1 };
        await CommitAsync([new StoreWrite(Keys.Generation, BitConverter.GetBytes(instance.Generation)), Put(instance)]);
        _generation = instance.Generation;
        _instances[instance.Id] = instance;
        return instance;
    }

    /// <summary>Changes an instance; gives the new one. The store follows with <see cref="SaveAsync"/>.</summary>
    public ObservedInstance Change(string id, Func<ObservedInstance, ObservedInstance> change)
    {
        var changed = change(_instances[id]);
        _instances[id] = changed;
        _unsaved.Add(id);
        return changed;
    }

    /// <summary>Drops an instance.</summary>
    public void Remove(string id)
    {
        _instances.Remove(id);
        _unsaved.Add(id);
    }

    /// <summary>Brings the store up to date.</summary>
    public async ValueTask SaveAsync()
    {
        if (_unsaved.Count == 0)
        {
            return;
        }

        await CommitAsync([.. _unsaved.Select(id => Find(id) is { } o ? Put(o) : new StoreWrite(Keys.Observed + id, null))]);
        _unsaved.Clear();
    }

    private async ValueTask CommitAsync(StoreWrite[] writes) => await store.CommitAsync(new StoreTransaction([], [.. writes]));

    private static StoreWrite Put(ObservedInstance o) =>
        new(Keys.Observed + o.Id, JsonSerializer.SerializeToUtf8Bytes(o, ObservedJson.Default.ObservedInstance));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ObservedInstance))]
internal sealed partial class ObservedJson : JsonSerializerContext;
