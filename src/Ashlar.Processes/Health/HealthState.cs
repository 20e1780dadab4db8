namespace Ashlar.Processes;

/// <summary>Whether an instance counts as healthy, by rise and fall. A value: each answer gives the next one.</summary>
/// <param name="Rise">Good answers in a row that make it healthy, from 1.</param>
/// <param name="Fall">Bad answers in a row that make it unhealthy, from 1.</param>
/// <param name="Healthy">What it counts as now.</param>
/// <param name="Against">Answers in a row that speak against that.</param>
public sealed record HealthState(int Rise, int Fall, bool Healthy = false, int Against = 0)
{
    /// <summary>The state after one more answer.</summary>
    public HealthState After(bool good)
    {
        if (good == Healthy)
            return this with { Against = 0 };
        return Against + 1 >= (Healthy ? Fall : Rise)
            ? this with { Healthy = good, Against = 0 }
            : this with { Against = Against + 1 };
    }
}
