namespace Ashlar.Stack;

/// <summary>Sizes as people write them: <c>512MiB</c>, <c>1GB</c>, <c>1.5GiB</c>.</summary>
internal static class Size
{
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("B", 1),
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("KB", 1_000), ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ];

    /// <summary>What a schema says of it.</summary>
    public const string Pattern = @"^[0-9]+(\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB|KB|kB|MB|GB|TB)$";

    /// <summary>Bytes, or a nearest valid spelling if there is one.</summary>
    public static bool TryParse(string text, out long bytes, out string? suggestion)
    {
        bytes = 0;
        suggestion = null;
        if (Quantity.Parse(text) is not var (number, digits, unit))
        {
            return false;
        }

        var known = Array.Find(Units, u => u.Unit == unit);
        if (known.Unit is null)
        {
            suggestion = Suggest(digits, unit);
            return false;
        }

        if (number > long.MaxValue / (decimal)known.Bytes)
        {
            return false;
        }

        bytes = (long)(number * known.Bytes);
        return true;
    }

    /// <summary>The shortest exact way to write it.</summary>
    public static string Format(long bytes)
    {
        foreach (var (unit, size) in Units.Where(u => u.Unit.EndsWith("iB", StringComparison.Ordinal)).Reverse())
        {
            if (bytes >= size && bytes % size == 0)
            {
                return $"{bytes / size}{unit}";
            }
        }

        return $"{bytes}B";
    }

    private static string? Suggest(string number, string unit)
    {
        if (unit.Length == 0)
        {
            return $"did you mean \"{number}MiB\"?";
        }

        var same = Array.Find(Units, u => string.Equals(u.Unit, unit, StringComparison.OrdinalIgnoreCase)
            || string.Equals(u.Unit, unit + "iB", StringComparison.OrdinalIgnoreCase));
        return same.Unit is null ? null : $"did you mean \"{number}{same.Unit}\"?";
    }
}
