namespace Ashlar.Postgres.Watching;

/// <summary>When a disk is nearly full.</summary>
internal static class DiskSpace
{
    private const long Enough = 5L << 30;
    private const double LowShare = 0.10;
    private const double AmpleShare = 0.12;

    /// <summary>People should know. A tenth of a large disk is much still.</summary>
    public static bool IsLow(long free, long total) => free < Enough && free < total * LowShare;

    /// <summary>It is over, and not to be said again for a while.</summary>
    public static bool IsAmple(long free, long total) => free >= Enough || free > total * AmpleShare;
}
