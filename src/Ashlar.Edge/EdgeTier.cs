using System.Runtime.InteropServices;
using Ashlar.Catalog.Channel;
using Ashlar.Edge.Tier;
using Ashlar.Errors;

namespace Ashlar.Edge;

/// <summary>The process <c>ashlar edge</c>.</summary>
public static class EdgeTier
{
    /// <summary>Runs the edge until it has drained after SIGTERM (a second one ends it at once) or the agent's command.</summary>
    /// <param name="arguments">What follows the word <c>edge</c>: <c>--instance NAME --channel PATH --state FOLDER [--grace SECONDS] [--identity FOLDER]</c>.</param>
    /// <returns>0: drained or told to end; 1: it could not start; 2: arguments that it does not understand.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var log = TierLog.ToStandardError("edge");
        try
        {
            var options = EdgeOptions.Parse(arguments);
            log = TierLog.ToStandardError(options.Instance);
            await using var edge = new EdgeProcess(options, log);
            void OnSignal(PosixSignalContext context)
            {
                context.Cancel = true;
                edge.Stop(options.Grace);
            }

            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
            await edge.RunAsync();
            return 0;
        }
        catch (AshlarException e)
        {
            log.Say(e.Error);
            return e.Error.Code == EdgeErrors.ArgumentsCode ? 2 : 1;
        }
        catch (Exception e)
        {
            // Whatever it is, the agent shows it as the last line of an edge that did not start.
            log.Say($"the edge ends: {e}");
            return 1;
        }
    }
}
