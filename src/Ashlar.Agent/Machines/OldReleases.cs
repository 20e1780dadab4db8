using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;
using Ashlar.Delivery.Releases;

namespace Ashlar.Agent.Machines;

/// <summary>
/// The leader says which releases can be gone back to; every machine removes the folders of all others, but for what it still runs.
/// </summary>
internal static class OldReleases
{
    private static readonly TimeSpan Between = TimeSpan.FromMinutes(1);

    /// <summary>Removes them, for ever. Not while an order goes over the machines, nor by what was known before this machine was cut off.</summary>
    public static async Task PruneAsync(FleetLink fleet, ReleaseStore releases, StatusReporter status, AgentLog log, TimeProvider time, CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(Between, time, cancellation);
            if (fleet is { IsCutOff: false, View.Rolls.Present: null }
                && await releases.PruneHereAsync(await status.ReleasesInUseAsync(), cancellation) is { IsEmpty: false } gone)
            {
                log.Info(LogEvent.Machine, $"folders of old releases are removed: {string.Join(", ", gone)}");
            }
        }
    }
}
