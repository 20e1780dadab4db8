using System.Text.Json;

namespace Ashlar.Dashboard;

/// <summary>What the page gets when it asks for the jobs.</summary>
/// <param name="Picture">How the queues are, as the jobs process wrote it; null: none runs on this machine, or it has written nothing yet.</param>
internal sealed record JobsPage(JsonElement? Picture);

/// <summary>Reads how the queues are. The jobs process writes it each two seconds, however many look: the dashboard asks no database.</summary>
internal static class JobsReader
{
    private const int MostBytes = 4 * 1024 * 1024;

    /// <summary>Reads it; nothing where there is no file, or one that makes no sense.</summary>
    /// <param name="path">The stack's <c>run/jobs.json</c>.</param>
    public static JobsPage Read(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: <= MostBytes } ? new JobsPage(JsonElement.Parse(File.ReadAllBytes(path))) : new JobsPage(null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return new JobsPage(null);
        }
    }
}
