namespace Ashlar.Edge.Forwarding;

/// <summary>How many connections the process's limit of open files allows.</summary>
internal static class DescriptorLimit
{
    private const int Most = 100_000;
    private const int Least = 64;

    /// <summary>A third of the soft limit: a request holds two descriptors, and the rest of the process needs some.</summary>
    public static int ForConnections()
    {
        foreach (var line in File.ReadLines("/proc/self/limits"))
        {
            if (line.StartsWith("Max open files", StringComparison.Ordinal))
            {
                var soft = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
                return int.TryParse(soft, out var limit) ? Math.Clamp(limit / 3, Least, Most) : Most;
            }
        }

        return Least;
    }
}
