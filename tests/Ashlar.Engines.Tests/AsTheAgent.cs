using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Processes;

namespace Ashlar.Engines;

/// <summary>Starts instances as the agent would.</summary>
internal static class AsTheAgent
{
    /// <summary>Starts one.</summary>
    /// <param name="launcher">Starts processes.</param>
    /// <param name="desired">The instance.</param>
    /// <param name="log">Where its output goes.</param>
    /// <param name="tag">Of this start alone.</param>
    /// <param name="searchPath">Its PATH; null: as planned.</param>
    /// <param name="heldSince">Since when the agent knows it to hold data.</param>
    public static ManagedProcess Start(
        ProcessLauncher launcher, DesiredInstance desired, string log, string tag, string? searchPath, DateTimeOffset? heldSince)
    {
        var environment = desired.Launch.Environment.SetItem("PORT", desired.Port.ToString(CultureInfo.InvariantCulture));
        environment = heldSince is { } since && desired.KeepsData ? environment.SetItem(HeldData.Variable, HeldData.Write(since)) : environment;
        return launcher.Start(desired.Launch with
        {
            Environment = searchPath is null ? environment : environment.SetItem("PATH", searchPath),
            LogPath = log,
            Tag = tag,
            Memory = null,
        });
    }
}
