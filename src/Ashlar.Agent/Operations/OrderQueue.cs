namespace Ashlar.Agent.Operations;

/// <summary>One order at a time: the next waits for its turn, in the order in which they came.</summary>
internal sealed class OrderQueue
{
    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;
    private string _present = "";

    /// <summary>What is being carried out, for people; empty if nothing is.</summary>
    public string Activity { get; private set; } = "";

    /// <summary>Carries out an order when its turn comes.</summary>
    /// <param name="name">The order, for the others that wait.</param>
    /// <param name="progress">Told once that it waits, if it does.</param>
    /// <param name="order">What to do.</param>
    public async Task RunAsync(string name, Action<string> progress, Func<Task> order)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task before;
        string ahead;
        lock (_lock)
        {
            (before, ahead) = (_last, _present);
            (_last, _present) = (mine.Task, name);
        }

        try
        {
            if (!before.IsCompleted)
            {
                progress($"Waits for '{ahead}', which is under way.");
                await before;
            }

            Activity = name;
            await order();
        }
        finally
        {
            Activity = "";
            mine.SetResult();
        }
    }
}
