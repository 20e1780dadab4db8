namespace Ashlar.Edge.Balancing;

/// <summary>
/// One place in a service's waiting room; the exchange that waits derives from it or holds one, and may use it again.
/// After a successful <see cref="ServiceTarget.Enqueue"/> exactly one of two things happens: <see cref="Leave"/> returns true and
/// <see cref="Wake"/> is never called, or <see cref="Wake"/> is called once.
/// </summary>
public abstract class Waiter
{
    internal Waiter? Next;
    internal Waiter? Previous;
    internal ServiceTarget? Room;
    internal long Deadline;
    internal bool IsHere;
    internal WaitResult Result;
    internal InstanceTarget? Granted;

    /// <summary>
    /// The wait has ended. Called on any thread, even from within Enqueue: it must only post to the owner's loop.
    /// With <see cref="WaitResult.Granted"/> the owner holds <paramref name="instance"/> and must release it, also when its client has gone.
    /// </summary>
    protected internal abstract void Wake(WaitResult result, InstanceTarget? instance);

    /// <summary>Leaves the room, because the client has gone. False: too late, <see cref="Wake"/> has been or is just being called.</summary>
    public bool Leave() => Room?.Remove(this) ?? false;
}
