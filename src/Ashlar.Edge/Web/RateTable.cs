using System.Runtime.InteropServices;

namespace Ashlar.Edge.Web;

/// <summary>
/// Token buckets by key, in memory that does not grow: sets of eight, in which a new key takes the place of the bucket that is
/// the fullest (or would be by now), because forgetting that one forgets least. Safe on every thread.
/// </summary>
internal sealed class RateTable
{
    private const int Ways = 8;
    private const int Sets = 4096;

    private readonly Slot[] _slots = new Slot[Ways * Sets];
    private readonly Lock[] _locks = [.. Enumerable.Range(0, 64).Select(_ => new Lock())];
    private readonly double _perMillisecond;
    private readonly double _burst;

    /// <param name="requests">Requests in <paramref name="per"/>.</param>
    /// <param name="per">The time.</param>
    /// <param name="burst">Requests at once.</param>
    public RateTable(int requests, TimeSpan per, int burst)
    {
        _perMillisecond = requests / per.TotalMilliseconds;
        _burst = burst;
    }

    /// <summary>Takes a token.</summary>
    /// <param name="key">The client; never 0.</param>
    /// <param name="now">Milliseconds of a clock that only runs forward.</param>
    /// <returns>0, or in how many milliseconds there will be a token.</returns>
    public long Take(ulong key, long now)
    {
        var set = (int)(key % Sets);
        lock (_locks[set % _locks.Length])
        {
            ref var slot = ref Find(_slots.AsSpan(set * Ways, Ways), key, now);
            slot.Tokens = Filled(in slot, now);
            slot.At = now;
            if (slot.Tokens >= 1)
            {
                slot.Tokens--;
                return 0;
            }

            return Math.Max(1, (long)Math.Ceiling((1 - slot.Tokens) / _perMillisecond));
        }
    }

    private ref Slot Find(Span<Slot> set, ulong key, long now)
    {
        var fullest = 0;
        for (var i = 0; i < set.Length; i++)
        {
            if (set[i].Key == key)
            {
                return ref set[i];
            }

            if (set[i].Key == 0 || (set[fullest].Key != 0 && Filled(in set[i], now) > Filled(in set[fullest], now)))
            {
                fullest = i;
            }
        }

        set[fullest] = new Slot { Key = key, Tokens = _burst, At = now };
        return ref set[fullest];
    }

    private double Filled(in Slot slot, long now) => Math.Min(_burst, slot.Tokens + Math.Max(0, now - slot.At) * _perMillisecond);

    [StructLayout(LayoutKind.Auto)]
    private struct Slot
    {
        public ulong Key;
        public double Tokens;
        public long At;
    }
}
