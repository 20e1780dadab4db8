using Ashlar.Errors;

namespace Ashlar.Engines.Redis;

/// <summary>What Redis' own last words before it ended mean. Pure.</summary>
internal static class RedisWords
{
    private static readonly string[] _damaged =
    [
        "Bad file format reading the append only file",
        "Unrecoverable error reading the append only file",
        "Unexpected end of file reading the append only file",
        "Error reading the RDB preamble of the AOF file",
        "Wrong signature trying to load DB from file",
        "The AOF file appendonly.aof",
        "Invalid AOF manifest file format",
        "AOF manifest file",
        "Short read or OOM loading DB",
        "Internal error in RDB reading",
    ];

    private static readonly string[] _cannotWrite =
    [
        "No space left on device",
        "Can't open or create append-only",
        "Can't open the append-only file",
        "Error trying to rename the temporary AOF",
        "Read-only file system",
        "Disk quota exceeded",
        "Fail to fsync",
    ];

    /// <summary>The error behind them; null: nothing that is known.</summary>
    public static AshlarError? Explain(string tier, string instance, IReadOnlyList<string> lastLines) =>
        Find(lastLines, _cannotWrite) is { } full ? EngineErrors.CannotWrite(tier, instance, full)
        : Find(lastLines, _damaged) is { } damaged ? EngineErrors.LogDamaged(tier, instance, damaged)
        : null;

    private static string? Find(IReadOnlyList<string> lines, string[] words) =>
        lines.LastOrDefault(line => words.Any(word => line.Contains(word, StringComparison.Ordinal))) is { } found ? Said(found) : null;

    // 4537:M 22 Nov 2026 11:56:23.018 # What it says.
    private static string Said(string line)
    {
        var sign = line.IndexOfAny(['#', '*']);
        return (sign > 0 && sign + 2 < line.Length ? line[(sign + 2)..] : line).TrimEnd('.', ' ');
    }
}
