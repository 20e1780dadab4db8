using System.Collections.Immutable;

namespace Ashlar.Catalog;

/// <summary>What a tier needs before it can be planned. The agent makes it once, keeps it in the store and gives it with every plan.</summary>
/// <param name="Ports">Instances that keep a port of their own for ever: <c>database.1</c>.</param>
/// <param name="Secrets">Passwords to make up: <c>database.app</c>.</param>
public sealed record TierNeeds(ImmutableArray<string> Ports, ImmutableArray<string> Secrets)
{
    /// <summary>Nothing.</summary>
    public static TierNeeds None { get; } = new([], []);
}
