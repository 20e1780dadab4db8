namespace Ashlar.Dashboard.Http;

/// <summary>Slows down who tries tokens: each wrong one costs a wait, and only a few may wait at once.</summary>
/// <param name="time">Clock.</param>
internal sealed class WrongAttempts(TimeProvider time)
{
    private const int MostWaiting = 8;
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(500);
    private int _waiting;

    /// <summary>Waits.</summary>
    /// <returns>False: too many wait already, and this one is answered at once with 429.</returns>
    public async Task<bool> WaitAsync(CancellationToken cancellation)
    {
        try
        {
            if (Interlocked.Increment(ref _waiting) > MostWaiting)
            {
                return false;
            }

            await Task.Delay(Wait, time, cancellation);
            return true;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>True: so many wait that no token is looked at.</summary>
    public bool IsFull => Volatile.Read(ref _waiting) >= MostWaiting;
}
