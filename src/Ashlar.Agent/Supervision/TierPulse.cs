namespace Ashlar.Agent.Supervision;

/// <summary>
/// Asks a process of one of our own tiers again and again whether it serves. A process can live and yet hang: stopped, in a loop, or in
/// a deadlock. Two questions in a row must go unanswered, so that a machine that slept is not taken for a tier that hangs.
/// </summary>
/// <param name="asks">Asks once; false or cancelled: no answer.</param>
/// <param name="time">The clock.</param>
internal sealed class TierPulse(Func<CancellationToken, Task<bool>> asks, TimeProvider time)
{
    /// <summary>Time between an answer and the next question, and the time that an answer may take.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private const int Misses = 2;

    /// <summary>Asks until two questions in a row went unanswered (true) or it is cancelled (false).</summary>
    public async Task<bool> LostAsync(CancellationToken cancellation)
    {
        try
        {
            for (var missed = 0; missed < Misses;)
            {
                await Task.Delay(Interval, time, cancellation);
                missed = await AnswersAsync(cancellation) ? 0 : missed + 1;
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(Interval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            return await asks(either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }
}
