using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Processes;

namespace Ashlar.Agent.Desired;

/// <summary>
/// What is made once for the life of the stack and kept in the store: ports that something has for ever, because others know it by
/// their environment, and passwords; and since when something has held data. Lives on the agent's loop.
/// </summary>
internal sealed class KeptNeeds(IStore store, PortAllocator allocator)
{
    private const int SecretLength = 32;
    private const string SecretLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private bool _unsaved;
    private ImmutableSortedDictionary<string, long> _revisions = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>Ports by what has them: <c>service:api</c>, <c>database.1</c>.</summary>
    public ImmutableSortedDictionary<string, int> Ports { get; private set; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Passwords by what they are of.</summary>
    public ImmutableSortedDictionary<string, string> Secrets { get; private set; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Since when instances have held data, by name.</summary>
    public ImmutableSortedDictionary<string, DateTimeOffset> DataSince { get; private set; } = ImmutableSortedDictionary<string, DateTimeOffset>.Empty;

    /// <summary>Reads what earlier agents, or those of other machines, made. What is theirs stands above what is not written down yet.</summary>
    public async ValueTask LoadAsync()
    {
        Ports = Merge(Ports, await ReadAsync(Keys.Ports, KeptJson.Default.ImmutableSortedDictionaryStringInt32));
        Secrets = Merge(Secrets, await ReadAsync(Keys.Secrets, KeptJson.Default.ImmutableSortedDictionaryStringString));
        DataSince = Merge(DataSince, await ReadAsync(Keys.DataSince, KeptJson.Default.ImmutableSortedDictionaryStringDateTimeOffset));
        foreach (var port in Ports.Values)
        {
            allocator.Reserve(port);
        }
    }

    /// <summary>Remembers that instances hold data from now on, where that is not known yet.</summary>
    public void HoldData(IEnumerable<string> instances, DateTimeOffset now)
    {
        foreach (var name in instances.Where(name => !DataSince.ContainsKey(name)))
        {
            (DataSince, _unsaved) = (DataSince.Add(name, now), true);
        }
    }

    /// <summary>A port anew, because the one it had cannot be had any more.</summary>
    public int Renew(string name)
    {
        var port = allocator.Take();
        (Ports, _unsaved) = (Ports.SetItem(name, port), true);
        return port;
    }

    /// <summary>Makes what is needed and not there yet. To be saved before anything is started with it.</summary>
    /// <param name="needs">What is needed.</param>
    /// <param name="isUp">True of an instance that runs on its port now. The port of another must be free, or it gets a new one.</param>
    public void Make(TierNeeds needs, Func<string, bool> isUp)
    {
        foreach (var name in needs.Ports)
        {
            if (!Ports.TryGetValue(name, out var port) || (!isUp(name) && !PortAllocator.CanBind(System.Net.IPAddress.Loopback, port)))
            {
                Renew(name);
            }
        }

        foreach (var name in needs.Secrets.Where(name => !Secrets.ContainsKey(name)))
        {
            (Secrets, _unsaved) = (Secrets.SetItem(name, RandomNumberGenerator.GetString(SecretLetters, SecretLength)), true);
        }
    }

    /// <summary>Writes down what is new. Where another machine has written meanwhile, its word counts.</summary>
    public async ValueTask SaveAsync()
    {
        while (_unsaved)
        {
            var written = await store.CommitAsync(new StoreTransaction(
                [.. _revisions.Select(known => new StoreCondition(known.Key, ModRevision: known.Value))],
                [
                    StoreExtensions.Put(Keys.Ports, Ports, KeptJson.Default.ImmutableSortedDictionaryStringInt32),
                    StoreExtensions.Put(Keys.Secrets, Secrets, KeptJson.Default.ImmutableSortedDictionaryStringString),
                    StoreExtensions.Put(Keys.DataSince, DataSince, KeptJson.Default.ImmutableSortedDictionaryStringDateTimeOffset),
                ]));
            if (written.Succeeded)
            {
                _unsaved = false;
                _revisions = new[] { Keys.Ports, Keys.Secrets, Keys.DataSince }.ToImmutableSortedDictionary(key => key, _ => written.Revision);
            }
            else
            {
                await LoadAsync();
            }
        }
    }

    private async ValueTask<ImmutableSortedDictionary<string, T>?> ReadAsync<T>(string key, JsonTypeInfo<ImmutableSortedDictionary<string, T>> type)
    {
        var entry = await store.GetAsync(key);
        _revisions = _revisions.SetItem(key, entry?.ModRevision ?? 0);
        return entry is null ? null : JsonSerializer.Deserialize(entry.Value.Span, type);
    }

    private static ImmutableSortedDictionary<string, T> Merge<T>(ImmutableSortedDictionary<string, T> ours, ImmutableSortedDictionary<string, T>? theirs) =>
        theirs is null ? ours : ours.SetItems(theirs);
}

[JsonSerializable(typeof(ImmutableSortedDictionary<string, int>))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, DateTimeOffset>))]
internal sealed partial class KeptJson : JsonSerializerContext;
