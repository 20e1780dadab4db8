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

    // The verb that is under way, empty: none; null if the agent does not say.
    private static string Of(string? activity) => activity switch
    {
        null => "\"ashlar status\" shows whether the stack runs, \"ashlar down\" stops it",
        "" => "the stack goes on; \"ashlar down\" stops it",
        _ => "what was ordered is carried out to its end; \"ashlar status\" shows how far it is, \"ashlar down\" stops the stack",
    };
}
