using Ashlar.Errors;

namespace Ashlar.Catalog.Channel;

/// <summary>What the processes of all tiers have in common: how they are asked to end, and what they say when they end otherwise.</summary>
public static class TierMain
{
    private const string Instance = "--instance";

    /// <summary>Runs a tier's process to its end.</summary>
    /// <param name="tier">The tier's name; its instance's, as soon as the arguments say it, stands before each line.</param>
    /// <param name="arguments">What follows the name.</param>
    /// <param name="argumentsCode">Code of the tier's error for arguments that it does not understand.</param>
    /// <param name="serve">Serves until it has been asked to end (<see cref="TierSignals"/>); gets where to say things.</param>
    /// <returns>The exit code. 0: told to end; 1: it could not start, or has failed; 2: arguments that it does not understand.</returns>
    public static async Task<int> RunAsync(string tier, string[] arguments, string argumentsCode, Func<TierLog, Task> serve)
    {
        var at = Array.IndexOf(arguments, Instance) + 1;
        var log = TierLog.ToStandardError(at > 0 && at < arguments.Length ? arguments[at] : tier);
        try
        {
            await serve(log);
            return 0;
        }
        catch (AshlarException e)
        {
            log.Say(e.Error);
            return e.Error.Code == argumentsCode ? 2 : 1;
        }
        catch (Exception e)
        {
            // Whatever it is, the agent shows it as the last line of a process that did not start.
            log.Say($"{tier} ends: {e}");
            return 1;
        }
    }
}
