namespace Ashlar.Processes;

/// <summary>How soon what has ended is started again.</summary>
/// <param name="Shortest">Least time between two starts that nobody asked for, and first wait after a crash.</param>
/// <param name="Longest">Longest wait, and that of a crash loop.</param>
public sealed record RestartPace(TimeSpan Shortest, TimeSpan Longest)
{
    /// <summary>Of an app: it may need what is not there yet, and must not wear the machine out. 1 to 60 s.</summary>
    public static RestartPace Patient { get; } = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));

    /// <summary>Of what every request passes and no other instance stands in for: clients wait on its sockets. 0.1 to 5 s.</summary>
    public static RestartPace Urgent { get; } = new(TimeSpan.FromSeconds(0.1), TimeSpan.FromSeconds(5));
}
