using Ashlar.Agents;

namespace Ashlar.Foreground;

/// <summary>What goes on after Ctrl-C has ended a command and not the stack.</summary>
internal static class LeavingNote
{
    // Whoever leaves does not wait for an agent that hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The line for a stack as it is now.</summary>
    public static async Task<string> OfAsync(IAgents agents, string folder)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return Of(await StackLaunch.TryStatusAsync(agents, folder, patience.Token) is { } report ? report.Activity : null);
        }
        catch (OperationCanceledException)
        {
            return Of(null);
        }
    }

    /// <summary>The line for what is going on (<c>rolling v13</c>, empty: nothing); null if the agent does not say.</summary>
    internal static string Of(string? activity) => activity switch
    {
        null => "\"ashlar status\" shows whether the stack runs, \"ashlar down\" stops it",
        "" => "the stack goes on; \"ashlar down\" stops it",
        _ => $"{Subject(activity)}; \"ashlar status\" shows how far it is, \"ashlar down\" stops the stack",
    };

    private static string Subject(string activity) =>
        activity.Split(' ') is [var doing, var release] ? $"{release} goes on {doing}" : $"this goes on: {activity}";
}
