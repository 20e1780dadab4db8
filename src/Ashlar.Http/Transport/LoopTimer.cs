namespace Ashlar.Http.Transport;

/// <summary>Owns a <see cref="LoopTimer"/>.</summary>
public interface ILoopTimerOwner
{
    /// <summary>The deadline of <paramref name="timer"/> has passed. Called on the loop; the timer is no longer set.</summary>
    void OnTimer(LoopTimer timer);
}

/// <summary>
/// A deadline on a loop, cheap enough to be moved at every request: moving it later only stores a number.
/// </summary>
public sealed class LoopTimer(ILoopTimerOwner owner)
{
    internal const long Never = long.MaxValue;

    internal LoopTimer? Next;
    internal LoopTimer? Previous;
    internal long Deadline = Never;
    internal long Tick = -1;

    internal ILoopTimerOwner Owner { get; } = owner;
}
