using System.Collections.Immutable;

namespace Ashlar.Monitoring;

/// <summary>The tier that is nearest to its limit.</summary>
/// <param name="Tier">Its tier.</param>
/// <param name="Service">Its service.</param>
/// <param name="Share">How near, 0 to 1.</param>
/// <param name="Limit">Which limit, as <see cref="Saturation.Limit"/>.</param>
/// <param name="Reason">In a sentence.</param>
/// <param name="IsLimiting">True: it holds the stack back now; false: it would be the first to.</param>
public sealed record Bottleneck(string Tier, string Service, double Share, string Limit, string Reason, bool IsLimiting)
{
    /// <summary>Finds it. Pure.</summary>
    /// <param name="lastMinute">Moments of the last minute, in any order.</param>
    /// <returns>Null: nothing is known that could be full.</returns>
    public static Bottleneck? Find(ImmutableArray<Moment> lastMinute) => null;
}
