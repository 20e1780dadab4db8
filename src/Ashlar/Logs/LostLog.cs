using Ashlar.Catalog;

namespace Ashlar.Logs;

/// <summary>Logs that somebody has deleted while an instance writes to them: its process keeps the deleted file, and nobody can read it.</summary>
/// <param name="Instance">The instance.</param>
/// <param name="Pid">Its first process.</param>
internal sealed record LostLog(string Instance, int Pid)
{
    private const string Deleted = " (deleted)";

    /// <summary>Those of a stack.</summary>
    public static IReadOnlyList<LostLog> Of(StatusReport report, LogFolder folder) =>
    [
        .. report.Tiers.SelectMany(tier => tier.Services).SelectMany(service => service.Instances)
            .Where(instance => !instance.Pids.IsEmpty && IsLost(folder.FileOf(instance.Name), instance.Pids[0]))
            .Select(instance => new LostLog(instance.Name, instance.Pids[0])),
    ];

    private static bool IsLost(string file, int pid)
    {
        if (!File.Exists(file)) return true;
        try
        {
            // A new file of the same name is not the one that the process writes to.
            return File.ResolveLinkTarget($"/proc/{pid}/fd/1", returnFinalTarget: false)?.FullName == file + Deleted;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // of another user, or gone
        }
    }
}
