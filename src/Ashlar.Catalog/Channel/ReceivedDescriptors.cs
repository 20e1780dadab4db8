using System.Collections.Immutable;

namespace Ashlar.Catalog.Channel;

/// <summary>Descriptors with their names, as they came in one message. Whoever receives them owns and disposes them.</summary>
/// <param name="Names">A name each: that of a listening socket.</param>
/// <param name="Descriptors">In the order of the names.</param>
public sealed record ReceivedDescriptors(ImmutableArray<string> Names, ImmutableArray<Descriptor> Descriptors) : IDisposable
{
    /// <summary>Closes them all.</summary>
    public void Dispose()
    {
        foreach (var descriptor in Descriptors)
        {
            descriptor.Dispose();
        }
    }

    internal static ReceivedDescriptors Take(FrameStream stream, ImmutableArray<string>? names)
    {
        var list = names is { IsDefault: false } some ? some : [];
        return new ReceivedDescriptors(list, [.. stream.TakeDescriptors(list.Length)]);
    }

    internal static ChannelMessage ToMessage(IReadOnlyList<string> names, IReadOnlyList<Descriptor> descriptors)
    {
        return names.Count == descriptors.Count
            ? new ChannelMessage(ChannelKinds.Descriptors) { Names = [.. names] }
            : throw new ArgumentException("Every descriptor has one name.", nameof(names));
    }
}
