using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Agent.Supervision;
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
    private long _made;
    private long _saved;
    private ImmutableSortedDictionary<string, long> _revisions = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>
    /// True: the store is that of many machines. It is written off the agent's loop, by <see cref="ShareAsync"/>: supervision never waits for the network.
    /// </summary>
    public bool IsShared { get; init; }

    /// <summary>True: something is not written down yet.</summary>
    public bool IsUnsaved => _made != _saved;

    /// <summary>Ports by what has them: <c>service:api</c>, <c>database.1</c>.</summary>
    public ImmutableSortedDictionary<string, int> Ports { get; private set; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Passwords by what they are of.</summary>
    public ImmutableSortedDictionary<string, string> Secrets { get; private set; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Since when instances have held data, by name.</summary>
    public ImmutableSortedDictionary<string, DateTimeOffset> DataSince { get; private set; } = ImmutableSortedDictionary<string, DateTimeOffset>.Empty;

    /// <summary>Reads what earlier agents, or those of other machines, made. What is theirs stands above what is not written down yet.</summary>
    public async ValueTask LoadAsync() => Merge(await ReadAsync());

    /// <summary>The same off the loop.</summary>
    public async Task LoadAsync(AgentLoop loop)
    {
        var read = await ReadAsync();
        await loop.AskAsync(() => Merge(read));
    }

    private async ValueTask<Kept> ReadAsync()
    {
        var (ports, secrets, since) = (await store.GetAsync(Keys.Ports), await store.GetAsync(Keys.Secrets), await store.GetAsync(Keys.DataSince));
        return new Kept(
            Parse(ports, KeptJson.Default.ImmutableSortedDictionaryStringInt32),
            Parse(secrets, KeptJson.Default.ImmutableSortedDictionaryStringString),
            Parse(since, KeptJson.Default.ImmutableSortedDictionaryStringDateTimeOffset),
            ImmutableSortedDictionary<string, long>.Empty.Add(Keys.Ports, ports?.ModRevision ?? 0).Add(Keys.Secrets, secrets?.ModRevision ?? 0)
                .Add(Keys.DataSince, since?.ModRevision ?? 0));
    }

    private bool Merge(Kept read)
    {
        Ports = Merge(Ports, read.Ports);
        Secrets = Merge(Secrets, read.Secrets);
        DataSince = Merge(DataSince, read.DataSince);
        _revisions = read.Revisions;
        foreach (var port in Ports.Values)
        {
            allocator.Reserve(port);
        }

        return true;
    }

    /// <summary>Remembers that instances hold data from now on, where that is not known yet.</summary>
    public void HoldData(IEnumerable<string> instances, DateTimeOffset now)
    {
        foreach (var name in instances.Where(name => !DataSince.ContainsKey(name)))
        {
            (DataSince, _made) = (DataSince.Add(name, now), _made + 1);
        }
    }

    /// <summary>A port anew, because the one it had cannot be had any more.</summary>
    public int Renew(string name)
    {
        var port = allocator.Take();
        (Ports, _made) = (Ports.SetItem(name, port), _made + 1);
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
            (Secrets, _made) = (Secrets.SetItem(name, RandomNumberGenerator.GetString(SecretLetters, SecretLength)), _made + 1);
        }
    }

    /// <summary>Writes down what is new, where the store is this machine's own.</summary>
    public async ValueTask SaveAsync()
    {
        if (!IsShared && Unsaved() is { } unsaved)
        {
            Saved(unsaved, (await store.CommitAsync(unsaved.Transaction)).Revision);
        }
    }

    /// <summary>Writes down what is new in the store of many machines. Where another machine has written meanwhile, its word counts.</summary>
    public async Task ShareAsync(AgentLoop loop)
    {
        while (IsShared && await loop.AskAsync(Unsaved) is { } unsaved)
        {
            var written = await store.CommitAsync(unsaved.Transaction);
            await (written.Succeeded ? loop.AskAsync(() => Saved(unsaved, written.Revision)) : LoadAsync(loop));
        }
    }

    private UnsavedNeeds? Unsaved() => !IsUnsaved ? null : new UnsavedNeeds(_made, new StoreTransaction(
        IsShared ? [.. _revisions.Select(known => new StoreCondition(known.Key, ModRevision: known.Value))] : [],
        [
            StoreExtensions.Put(Keys.Ports, Ports, KeptJson.Default.ImmutableSortedDictionaryStringInt32),
            StoreExtensions.Put(Keys.Secrets, Secrets, KeptJson.Default.ImmutableSortedDictionaryStringString),
            StoreExtensions.Put(Keys.DataSince, DataSince, KeptJson.Default.ImmutableSortedDictionaryStringDateTimeOffset),
        ]));

    private bool Saved(UnsavedNeeds written, long revision)
    {
        _saved = written.Made;
        _revisions = new[] { Keys.Ports, Keys.Secrets, Keys.DataSince }.ToImmutableSortedDictionary(key => key, _ => revision);
        return true;
    }

    private static ImmutableSortedDictionary<string, T>? Parse<T>(StoreEntry? entry, JsonTypeInfo<ImmutableSortedDictionary<string, T>> type) =>
        entry is null ? null : JsonSerializer.Deserialize(entry.Value.Span, type);

    private static ImmutableSortedDictionary<string, T> Merge<T>(ImmutableSortedDictionary<string, T> ours, ImmutableSortedDictionary<string, T>? theirs) =>
        theirs is null ? ours : ours.SetItems(theirs);

    private sealed record Kept(
        ImmutableSortedDictionary<string, int>? Ports, ImmutableSortedDictionary<string, string>? Secrets, ImmutableSortedDictionary<string, DateTimeOffset>? DataSince,
        ImmutableSortedDictionary<string, long> Revisions);

    private sealed record UnsavedNeeds(long Made, StoreTransaction Transaction);
}

[JsonSerializable(typeof(ImmutableSortedDictionary<string, int>))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, DateTimeOffset>))]
internal sealed partial class KeptJson : JsonSerializerContext;
