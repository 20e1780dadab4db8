using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Ashlar.Catalog.Channel;

/// <summary>One frame of the channel. A receiver passes over kinds that it does not know: the other side may be newer.</summary>
internal sealed record ChannelMessage(string Kind)
{
    public Hello? Hello { get; init; }

    public CatalogSnapshot? Snapshot { get; init; }

    public Fact? Fact { get; init; }

    public Command? Command { get; init; }

    public CommandResult? Result { get; init; }

    /// <summary>Number of a command, repeated in its result.</summary>
    public long Id { get; init; }

    /// <summary>Names of the descriptors that come with this frame, in order.</summary>
    public ImmutableArray<string>? Names { get; init; }
}

internal static class ChannelKinds
{
    public const string Hello = "hello";
    public const string Snapshot = "snapshot";
    public const string Fact = "fact";
    public const string Command = "command";
    public const string Result = "result";
    public const string Descriptors = "descriptors";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ChannelMessage))]
internal sealed partial class ChannelJson : JsonSerializerContext;
