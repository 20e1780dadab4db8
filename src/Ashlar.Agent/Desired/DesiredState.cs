using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Catalog.Store;

namespace Ashlar.Agent.Desired;

/// <summary>What people have ordered, as the store keeps it. Together with the release it says all that the agent pursues.</summary>
internal sealed record DesiredState
{
    /// <summary>Release to run; empty: none yet.</summary>
    public string Release { get; init; } = "";

    /// <summary>True: taken down by a person; a new agent waits for <c>up</c>.</summary>
    public bool Down { get; init; }

    /// <summary>Numbers of instances that <c>scale</c> set, by service.</summary>
    public ImmutableSortedDictionary<string, ScaleOverride> Scale { get; init; } = ImmutableSortedDictionary<string, ScaleOverride>.Empty;

    /// <summary>Services and instances that a person has stopped.</summary>
    public ImmutableSortedSet<string> Stopped { get; init; } = [];

    /// <summary>How often a person has restarted a service or instance.</summary>
    public ImmutableSortedDictionary<string, int> RestartCounts { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    /// <summary>Services in maintenance.</summary>
    public ImmutableSortedSet<string> Maintenance { get; init; } = [];
}

/// <summary>A number of instances ordered by a person. It holds until the stack file's own number changes.</summary>
/// <param name="Count">Instances wanted.</param>
/// <param name="Declared">What the stack file said then.</param>
internal sealed record ScaleOverride(int Count, int Declared);

/// <summary>Keeps the desired state in the store.</summary>
internal sealed class DesiredStore(IStore store)
{
    /// <summary>What was last saved.</summary>
    public DesiredState State { get; private set; } = new();

    /// <summary>Revision of the store at which it was.</summary>
    public long Revision { get; private set; }

    /// <summary>Reads it.</summary>
    public async ValueTask LoadAsync()
    {
        if (await store.GetAsync(Keys.Orders) is { } entry)
        {
            State = JsonSerializer.Deserialize(entry.Value.Span, DesiredJson.Default.DesiredState) ?? State;
            Revision = entry.ModRevision;
        }
    }

    /// <summary>Writes it. Nothing is pursued that is not written: the next agent must pursue the same.</summary>
    /// <exception cref="Errors.AshlarException">ASH4005.</exception>
    public async ValueTask SaveAsync(DesiredState state)
    {
        try
        {
            var value = JsonSerializer.SerializeToUtf8Bytes(state, DesiredJson.Default.DesiredState);
            Revision = (await store.CommitAsync(new StoreTransaction([], [new StoreWrite(Keys.Orders, value)]))).Revision;
            State = state;
        }
        catch (Exception e) when (e is not Errors.AshlarException and not OutOfMemoryException)
        {
            throw AgentErrors.StoreUnwritable("state.db", e.Message.TrimEnd('.'), e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DesiredState))]
internal sealed partial class DesiredJson : JsonSerializerContext;
