namespace Ashlar.Agent.Machines.Fencing;

/// <summary>Whether an instance that needs a lease may run.</summary>
internal enum LeaseStanding
{
    /// <summary>It may.</summary>
    Held,

    /// <summary>Not known yet, as after the agent's start: what runs goes on, and nothing is started.</summary>
    Unknown,

    /// <summary>Another machine may have it by now: what runs is killed.</summary>
    Lost,
}

/// <summary>
/// How this machine stands with a lease, by a clock that only runs forward. It counts from before each question, and trusts a lease for less
/// than its life: when another machine can have it, what ran here has been killed. Pure.
/// </summary>
/// <param name="Began">When it was first asked for.</param>
/// <param name="Asked">Before the last question that was answered with yes; null: none was.</param>
/// <param name="Holder">The other machine that has it; null: none is known.</param>
internal sealed record HeldLease(long Began, long? Asked = null, string? Holder = null)
{
    /// <summary>Life of the lease in the store.</summary>
    public static TimeSpan Life { get; } = TimeSpan.FromSeconds(30);

    /// <summary>How long it is trusted.</summary>
    public static TimeSpan Trusted { get; } = TimeSpan.FromSeconds(20);

    /// <summary>Bound of one question, so that the clock is looked at again in time.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(4);

    /// <summary>Time between two questions.</summary>
    public static TimeSpan Between { get; } = TimeSpan.FromSeconds(5);

    /// <summary>It was renewed.</summary>
    /// <param name="asked">Before the question.</param>
    public HeldLease Renewed(long asked) => this with { Asked = asked, Holder = null };

    /// <summary>Another machine has it.</summary>
    public HeldLease Refused(string holder) => this with { Holder = holder };

    /// <summary>How it stands.</summary>
    public LeaseStanding At(long now, TimeProvider time) =>
        Holder is not null || time.GetElapsedTime(Asked ?? Began, now) >= Trusted ? LeaseStanding.Lost
        : Asked is null ? LeaseStanding.Unknown
        : LeaseStanding.Held;
}
