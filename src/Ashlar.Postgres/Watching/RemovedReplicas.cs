using System.Buffers.Binary;
using System.Globalization;
using Ashlar.Errors;

namespace Ashlar.Postgres.Watching;

/// <summary>
/// Lets go of what replicas leave that are not wanted any more: their slots, which hold the primary's log back, and their data, which
/// is a copy. Data that is not surely one stays.
/// </summary>
internal static class RemovedReplicas
{
    private const string Trash = ".removed-";

    /// <summary>Whether a folder is surely a copy of the cluster, and nothing runs on it.</summary>
    /// <param name="folder">Folder of the instance.</param>
    /// <param name="system">The primary's cluster.</param>
    /// <param name="why">Why not; empty: something still runs there, ask again later.</param>
    public static bool IsIdleCopy(string folder, ulong system, out string why)
    {
        why = "";
        var data = Path.Combine(folder, "pg");
        if (Directory.Exists(data))
        {
            if (!File.Exists(Path.Combine(data, "standby.signal")))
            {
                why = "it is no replica's";
                return false;
            }

            if (SystemOf(data) != system)
            {
                why = "it is of another cluster";
                return false;
            }
        }

        return !Runs(Path.Combine(data, "postmaster.pid"), data) && !Runs(null, Path.Combine(folder, "pg.preparing"));
    }

    /// <summary>Takes a folder out of the way, at once; null: it cannot be now.</summary>
    public static string? MoveAway(string folder)
    {
        var trash = Path.Combine(Path.GetDirectoryName(folder)!, $"{Trash}{Path.GetFileName(folder)}-{Guid.NewGuid():N}");
        try
        {
            Directory.Move(folder, trash);
            return trash;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Deletes it, and what an earlier agent had begun to delete. False: not all of it could be.</summary>
    public static bool Delete(string trash)
    {
        try
        {
            foreach (var folder in Directory.EnumerateDirectories(Path.GetDirectoryName(trash)!, Trash + "*"))
            {
                Directory.Delete(folder, recursive: true);
            }

            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Indexes of the instances that have a folder.</summary>
    public static IEnumerable<int> WithFolder(string data)
    {
        foreach (var folder in Directory.Exists(data) ? Directory.GetDirectories(data, $"{PostgresTier.Tier}.*") : [])
        {
            if (int.TryParse(Path.GetFileName(folder).AsSpan(PostgresTier.Tier.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            {
                yield return index;
            }
        }
    }

    // The first thing in pg_control is the identifier of the cluster, in the machine's own byte order.
    private static ulong? SystemOf(string data)
    {
        try
        {
            using var file = File.OpenRead(Path.Combine(data, "global", "pg_control"));
            Span<byte> first = stackalloc byte[8];
            file.ReadExactly(first);
            return BinaryPrimitives.ReadUInt64LittleEndian(first);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool Runs(string? pidFile, string data)
    {
        try
        {
            if (pidFile is not null && !File.Exists(pidFile))
            {
                return false;
            }

            return Directory.Exists(data) && Remains.Find(data).Any();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>The warning that goes with <see cref="IsIdleCopy"/>.</summary>
    public static AshlarError Left(string folder, string why) => PostgresErrors.LeftBehind(folder, why);
}
