namespace Ashlar.Jobs.Queue;

/// <summary>
/// How far a queue has been claimed. Ids of transactions are given out in another order than they commit in, so no single number can say it:
/// all that <see cref="Base"/> sees is claimed, and of what <see cref="Upto"/> sees beyond that, all up to <see cref="At"/>.
/// A transaction that commits late is seen late, and nothing waits for it.
/// </summary>
/// <param name="Base">All that it sees is claimed.</param>
/// <param name="Upto">The window that is being claimed; null: none.</param>
/// <param name="At">Last place claimed in the window.</param>
internal sealed record Cursor(TransactionSnapshot Base, TransactionSnapshot? Upto = null, Place At = default)
{
    /// <summary>The window to claim from, now that the server's snapshot is another; null: there is nothing new.</summary>
    public Cursor? Window(TransactionSnapshot now) => Upto is not null ? this : now.Text == Base.Text ? null : this with { Upto = now, At = default };

    /// <summary>After a claim that gave fewer than it asked for: the window is empty.</summary>
    public Cursor Exhausted() => new(Upto!);
}
