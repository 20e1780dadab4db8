using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
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
    private const string PortsKey = "ports";
    private const string SecretsKey = "secrets";
    private const string DataKey = "data";
    private const int SecretLength = 32;
    private const string SecretLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private bool _unsaved;

    /// <summary>Ports by what has them: <c>service:api</c>, <c>database.1</c>.</summary>
    public ImmutableSortedDictionary<string, int> Ports { get; private set; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Passwords by what they are of.</summary>
    public ImmutableSortedDictionary<string, string> Secrets { get; private set; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Since when instances have held data, by name.</summary>
    public ImmutableSortedDictionary<string, DateTimeOffset> DataSince { get; private set; } = ImmutableSortedDictionary<string, DateTimeOffset>.Empty;

    /// <summary>Reads what earlier agents made.</summary>
    public async ValueTask LoadAsync()
    {
        if (await store.GetAsync(PortsKey) is { } ports)
        {
            Ports = JsonSerializer.Deserialize(ports.Value.Span, KeptJson.Default.ImmutableSortedDictionaryStringInt32) ?? Ports;
            foreach (var port in Ports.Values)
            {
                allocator.Reserve(port);
            }
        }

        if (await store.GetAsync(SecretsKey) is { } secrets)
        {
            Secrets = JsonSerializer.Deserialize(secrets.Value.Span, KeptJson.Default.ImmutableSortedDictionaryStringString) ?? Secrets;
        }

        if (await store.GetAsync(DataKey) is { } data)
        {
            DataSince = JsonSerializer.Deserialize(data.Value.Span, KeptJson.Default.ImmutableSortedDictionaryStringDateTimeOffset) ?? DataSince;
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

    /// <summary>Writes down what is new.</summary>
    public async ValueTask SaveAsync()
    {
        if (_unsaved)
        {
            await store.CommitAsync(new StoreTransaction([],
            [
                new StoreWrite(PortsKey, JsonSerializer.SerializeToUtf8Bytes(Ports, KeptJson.Default.ImmutableSortedDictionaryStringInt32)),
                new StoreWrite(SecretsKey, JsonSerializer.SerializeToUtf8Bytes(Secrets, KeptJson.Default.ImmutableSortedDictionaryStringString)),
                new StoreWrite(DataKey, JsonSerializer.SerializeToUtf8Bytes(DataSince, KeptJson.Default.ImmutableSortedDictionaryStringDateTimeOffset)),
            ]));
            _unsaved = false;
        }
    }
}

[JsonSerializable(typeof(ImmutableSortedDictionary<string, int>))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, DateTimeOffset>))]
internal sealed partial class KeptJson : JsonSerializerContext;
