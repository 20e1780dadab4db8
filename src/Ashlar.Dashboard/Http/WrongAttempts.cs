using System.Net;

namespace Ashlar.Dashboard.Http;

/// <summary>
/// Slows down who tries tokens: each wrong one costs a wait, and only a few may wait at once, of one address and of all. Whoever has the
/// right one never waits and is never turned away, whatever others do.
/// </summary>
/// <param name="time">Clock.</param>
internal sealed class WrongAttempts(TimeProvider time)
{
    /// <summary>Wrong ones of one address that wait at once.</summary>
    public const int MostOfAddress = 4;

    /// <summary>Wrong ones that wait at once.</summary>
    public const int Most = 64;

    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(500);
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _waiting = [];
    private int _all;

    /// <summary>Waits after a wrong one.</summary>
    /// <param name="address">Who tried.</param>
    /// <param name="cancellation">The one who tried has gone; the wait goes on, or going would make the next try cheaper.</param>
    /// <returns>False: too many wait already, and this one is answered at once with 429.</returns>
    public async Task<bool> WaitAsync(IPAddress address, CancellationToken cancellation)
    {
        lock (_lock)
        {
            var waiting = _waiting.GetValueOrDefault(address);
            if (waiting >= MostOfAddress || _all >= Most)
            {
                return false;
            }

            _waiting[address] = waiting + 1;
            _all++;
        }

        var over = WaitAsync(address);
        await over.WaitAsync(cancellation);
        return true;
    }

    private async Task WaitAsync(IPAddress address)
    {
        await Task.Delay(Wait, time);
        lock (_lock)
        {
            _all--;
            if (--_waiting[address] == 0)
            {
                _waiting.Remove(address);
            }
        }
    }
}
