using Ashlar.Errors;

namespace Ashlar.Edge;

/// <summary>Errors of the edge that a person can meet: ASH3010 to ASH3029 (the wire has ASH3030 and up).</summary>
internal static class EdgeErrors
{
    /// <summary>The access log cannot be written (full disk, no folder, no permission); requests go on without it.</summary>
    public static AshlarError AccessLogNotWritable(string path, string reason) => new(
        "ASH3010", "edge", $"The access log {path} cannot be written: {reason}. Requests are served, their lines are dropped and counted.",
        "Free space or give the edge's user write permission on the folder; logging resumes by itself.");

    /// <summary>The metrics file cannot be made; the edge serves without metrics.</summary>
    public static AshlarError MetricsNotWritable(string path, string reason) => new(
        "ASH3011", "edge", $"The metrics file {path} cannot be made: {reason}. Requests are served, but not counted for others to see.",
        "Free space or give the edge's user write permission on the folder, then run: ashlar restart edge.");
}
