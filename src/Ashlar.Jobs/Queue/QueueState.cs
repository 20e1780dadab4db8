namespace Ashlar.Jobs.Queue;

/// <summary>What the dispatcher knows of one queue. Guarded by the dispatcher's gate.</summary>
internal sealed class QueueState(int id, string name, Cursor cursor)
{
    public int Id { get; } = id;

    public string Name { get; } = name;

    /// <summary>How far it is claimed.</summary>
    public Cursor Cursor { get; set; } = cursor;

    /// <summary>Claimed and not finished, by number: the transaction of each.</summary>
    public Dictionary<long, ulong> Open { get; } = [];

    /// <summary>Slot that takes new jobs.</summary>
    public int Slot { get; set; }

    /// <summary>True: a person has paused it.</summary>
    public bool Paused { get; set; }

    /// <summary>Jobs claimed since its ring was last turned.</summary>
    public long SinceTurn { get; set; }

    /// <summary>The table of a slot.</summary>
    public int Part(int slot) => (Id * Schema.Slots) + slot;

    /// <summary>Slot of a table.</summary>
    public static int SlotOf(int part) => part % Schema.Slots;
}
