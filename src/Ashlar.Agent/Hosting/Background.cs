namespace Ashlar.Agent.Hosting;

/// <summary>Work that goes on beside the agent's loop until it ends.</summary>
internal sealed class Background : IAsyncDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly Task[] _running;

    /// <summary>Begins all of it.</summary>
    public Background(IEnumerable<Func<CancellationToken, Task>> work) => _running = [.. work.Select(w => Task.Run(() => w(_ending.Token)))];

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        try
        {
            await Task.WhenAll(_running);
        }
        catch (OperationCanceledException)
        {
        }

        _ending.Dispose();
    }
}
