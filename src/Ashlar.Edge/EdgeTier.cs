using Ashlar.Catalog.Channel;
using Ashlar.Edge.Tier;

namespace Ashlar.Edge;

/// <summary>The process <c>ashlar edge</c>.</summary>
public static class EdgeTier
{
    /// <summary>Runs the edge until it has drained after SIGTERM (a second one ends it at once) or the agent's command.</summary>
    /// <param name="arguments">What follows the word <c>edge</c>: <c>--instance NAME --channel PATH --state FOLDER [--grace SECONDS] [--identity FOLDER]</c>.</param>
    /// <returns>0: drained or told to end; 1: it could not start; 2: arguments that it does not understand.</returns>
    public static Task<int> RunAsync(string[] arguments) => TierMain.RunAsync("edge", arguments, EdgeErrors.ArgumentsCode, async log =>
    {
        var options = EdgeOptions.Parse(arguments);
        await using var edge = new EdgeProcess(options, log);
        using var signals = new TierSignals(() => edge.Stop(options.Grace));
        await edge.RunAsync();
    });
}
