using Ashlar.Errors;

namespace Ashlar.Monitoring;

/// <summary>Errors of monitoring that people can meet.</summary>
public static class MonitoringErrors
{
    private const string Tier = "monitoring";

    /// <summary>ASH7301: the folder of the series cannot be used.</summary>
    public static AshlarException SeriesUnusable(string folder, string why, Exception? inner = null) => new(
        new AshlarError("ASH7301", Tier, $"The series cannot be kept in {folder}: {why}.", "Make the folder writable for the user that Ashlar's tiers run as, or make room on its disk."),
        inner);

    /// <summary>ASH7302: the metrics of a stack belong to another user.</summary>
    public static AshlarException MetricsForeign(string folder, string why, Exception? inner = null) => new(
        new AshlarError("ASH7302", Tier, $"The metrics in {folder} cannot be read: {why}.", "Run the command as the user who runs the stack, or with sudo."),
        inner);
}
