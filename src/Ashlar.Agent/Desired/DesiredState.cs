using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Agent.Machines.Rolling;
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

    /// <summary>Records of DNS that people have added, by zone: lines of a master file.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Records { get; init => field = value ?? ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty; } =
        ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>When <see cref="Records"/> was last changed, in Unix seconds; 0: never.</summary>
    public long RecordsChanged { get; init; }

    /// <summary>In the store of a stack on many machines: how orders go over these. In one value with what holds, so that nobody reads the one without the other.</summary>
    public RollBook? Rolls { get; init; }
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

    /// <summary>How orders go over the machines, where there are many.</summary>
    public RollBook Rolls { get; private set; } = new(Present: null);

    /// <summary>Reads it.</summary>
    public async ValueTask LoadAsync()
    {
        if (await store.GetAsync(Keys.Orders) is { } entry)
        {
            (State, Rolls) = Read(entry.Value);
        }
    }

    /// <summary>Takes what is known from elsewhere to be in the store.</summary>
    public void Take(DesiredState state, RollBook rolls) => (State, Rolls) = (state, rolls);

    /// <summary>The value in the store.</summary>
    public static byte[] Write(DesiredState state, RollBook rolls) => JsonSerializer.SerializeToUtf8Bytes(
        state with { Rolls = rolls is { Present: null, Ended.IsEmpty: true } ? null : rolls }, DesiredJson.Default.DesiredState);

    /// <summary>What a value in the store says.</summary>
    public static (DesiredState State, RollBook Rolls) Read(ReadOnlyMemory<byte> value) =>
        JsonSerializer.Deserialize(value.Span, DesiredJson.Default.DesiredState) is { } read
            ? (read with { Rolls = null }, read.Rolls ?? new RollBook(Present: null))
            : (new DesiredState(), new RollBook(Present: null));

    /// <summary>Writes it. Nothing is pursued that is not written: the next agent must pursue the same.</summary>
    /// <exception cref="Errors.AshlarException">ASH4005.</exception>
    public async ValueTask SaveAsync(DesiredState state)
    {
        try
        {
            await store.CommitAsync(new StoreTransaction([], [new StoreWrite(Keys.Orders, Write(state, Rolls))]));
            State = state;
        }
        catch (Exception e) when (e is not Errors.AshlarException and not OutOfMemoryException)
        {
            throw AgentErrors.StoreUnwritable("state.db", e.Message.TrimEnd('.'), e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DesiredState))]
internal sealed partial class DesiredJson : JsonSerializerContext;
