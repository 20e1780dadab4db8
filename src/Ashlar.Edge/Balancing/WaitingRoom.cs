namespace Ashlar.Edge.Balancing;

/// <summary>First in, first out; linked through the waiters, so that waiting allocates nothing. Its service's lock guards it.</summary>
internal sealed class WaitingRoom
{
    public Waiter? First { get; private set; }

    public Waiter? Last { get; private set; }

    public void Add(Waiter waiter)
    {
        waiter.Previous = Last;
        waiter.Next = null;
        if (Last is null)
        {
            First = waiter;
        }
        else
        {
            Last.Next = waiter;
        }

        Last = waiter;
    }

    public void Remove(Waiter waiter)
    {
        if (waiter.Previous is null)
        {
            First = waiter.Next;
        }
        else
        {
            waiter.Previous.Next = waiter.Next;
        }

        if (waiter.Next is null)
        {
            Last = waiter.Previous;
        }
        else
        {
            waiter.Next.Previous = waiter.Previous;
        }

        waiter.Next = waiter.Previous = null;
    }
}
