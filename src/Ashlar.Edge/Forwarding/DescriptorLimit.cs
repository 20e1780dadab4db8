namespace Ashlar.Edge.Forwarding;

/// <summary>How many connections the process's limit of open files allows.</summary>
internal static class DescriptorLimit
{
    private const int Most = 100_000;
    private const int Least = 64;

    // Of the process itself: about a hundred when it idles.
    private const int Own = 128;

    /// <summary>What the soft limit of this process allows.</summary>
    public static int ForConnections()
    {
        foreach (var line in File.ReadLines("/proc/self/limits"))
        {
            if (line.StartsWith("Max open files", StringComparison.Ordinal))
            {
                var soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
                return int.TryParse(soft, out var limit) ? For(limit) : Most;
            }
        }

        return Least;
    }

    /// <summary>A third of the limit: a request holds two descriptors, and some are kept for the next. Never so many that all being busy leaves too few.</summary>
    public static int For(int limit) => Math.Clamp(Math.Min(limit / 3, (limit - Own) / 2), Least, Most);
}
