namespace Ashlar.Http.Transport;

/// <summary>The buffers of one loop, in two sizes. Not thread-safe: a loop's buffers never leave its thread.</summary>
public sealed class BufferPool
{
    /// <summary>Size of an ordinary buffer: a head and a small body.</summary>
    public const int Small = 16 * 1024;

    /// <summary>Size of a large buffer: a head near its limit, or a body that flows.</summary>
    public const int Large = 64 * 1024;

    // What lies idle beyond this goes to the garbage collector, so that a burst does not hold its memory for ever.
    private const int KeptSmall = 256;
    private const int KeptLarge = 32;

    private readonly Stack<PooledBuffer> _small = new();
    private readonly Stack<PooledBuffer> _large = new();

    /// <summary>Buffers handed out and not yet given back.</summary>
    public int Rented { get; private set; }

    /// <summary>Hands out an empty buffer of <see cref="Small"/> bytes.</summary>
    public PooledBuffer Rent() => Take(_small, Small);

    /// <summary>Hands out an empty buffer of <see cref="Large"/> bytes.</summary>
    public PooledBuffer RentLarge() => Take(_large, Large);

    /// <summary>Takes a buffer back, whatever it holds; the caller forgets it.</summary>
    public void Return(PooledBuffer buffer)
    {
        Rented--;
        buffer.Clear();
        var (stack, kept) = buffer.Capacity == Small ? (_small, KeptSmall) : (_large, KeptLarge);
        if (stack.Count < kept)
        {
            stack.Push(buffer);
        }
    }

    private PooledBuffer Take(Stack<PooledBuffer> stack, int size)
    {
        Rented++;
        return stack.TryPop(out var buffer) ? buffer : new PooledBuffer(size);
    }
}
