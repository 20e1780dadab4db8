using System.Globalization;

namespace Ashlar.Stack;

/// <summary>Durations as people write them: <c>500ms</c>, <c>30s</c>, <c>5m</c>, <c>1h</c>, <c>7d</c>.</summary>
internal static class Duration
{
    private static readonly (string Unit, TimeSpan One)[] Units =
    [
        ("ms", TimeSpan.FromMilliseconds(1)), ("s", TimeSpan.FromSeconds(1)), ("m", TimeSpan.FromMinutes(1)),
        ("h", TimeSpan.FromHours(1)), ("d", TimeSpan.FromDays(1)),
    ];

    private static readonly (string Written, string Unit)[] OtherSpellings =
    [
        ("sec", "s"), ("secs", "s"), ("second", "s"), ("seconds", "s"), ("min", "m"), ("mins", "m"), ("minute", "m"),
        ("minutes", "m"), ("hour", "h"), ("hours", "h"), ("day", "d"), ("days", "d"), ("msec", "ms"), ("", "s"),
    ];

    /// <summary>What a schema says of it.</summary>
    public const string Pattern = @"^[0-9]+(\.[0-9]+)? ?(ms|s|m|h|d)$";

    /// <summary>The time, or a nearest valid spelling if there is one.</summary>
    public static bool TryParse(string text, out TimeSpan time, out string? suggestion)
    {
        time = default;
        suggestion = null;
        if (Quantity.Parse(text) is not var (number, digits, unit))
        {
            return false;
        }

        var known = Array.Find(Units, u => u.Unit == unit);
        if (known.Unit is null)
        {
            var lower = unit.ToLowerInvariant();
            var meant = Array.Find(Units, u => u.Unit == lower).Unit ?? Array.Find(OtherSpellings, o => o.Written == lower).Unit;
            suggestion = meant is null ? null : $"did you mean \"{digits}{meant}\"?";
            return false;
        }

        if (number > TimeSpan.MaxValue.Ticks / (decimal)known.One.Ticks)
        {
            return false;
        }

        time = TimeSpan.FromTicks((long)(number * known.One.Ticks));
        return true;
    }

    /// <summary>The shortest exact way to write it.</summary>
    public static string Format(TimeSpan time)
    {
        foreach (var (unit, one) in Units.Reverse())
        {
            if (time >= one && time.Ticks % one.Ticks == 0)
            {
                return $"{time.Ticks / one.Ticks}{unit}";
            }
        }

        return time == TimeSpan.Zero ? "0s" : $"{time.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)}ms";
    }
}
