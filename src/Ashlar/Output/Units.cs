namespace Ashlar.Output;

/// <summary>Numbers as people read them.</summary>
internal static class Units
{
    /// <summary>A span of time in its two largest units: <c>4s</c>, <c>3m 20s</c>, <c>2h 3m</c>, <c>5d 4h</c>.</summary>
    public static string Duration(TimeSpan time) => time switch
    {
        { Ticks: < 0 } => "0s",
        { TotalMinutes: < 1 } => $"{(int)time.TotalSeconds}s",
        { TotalHours: < 1 } => $"{time.Minutes}m {time.Seconds}s",
        { TotalDays: < 1 } => $"{time.Hours}h {time.Minutes}m",
        _ => $"{(int)time.TotalDays}d {time.Hours}h",
    };

    /// <summary>Bytes by powers of 1024, three digits: <c>980 KiB</c>, <c>38.2 MiB</c>, <c>1.21 GiB</c>.</summary>
    public static string Bytes(long bytes)
    {
        string[] names = ["B", "KiB", "MiB", "GiB", "TiB"];
        double value = bytes;
        var unit = 0;
        while (value >= 999.5 && unit < names.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        var format = unit == 0 || value >= 99.95 ? "0" : value >= 9.995 ? "0.0" : "0.00";
        return value.ToString(format) + " " + names[unit];
    }

    /// <summary>Cores as a share of one: <c>0.4%</c>, <c>25%</c>, <c>310%</c>.</summary>
    public static string Cpu(double cores) => (cores * 100).ToString(cores < 0.0995 ? "0.0" : "0") + "%";

    /// <summary>Reads <c>90</c> (seconds), <c>500ms</c>, <c>30s</c>, <c>10m</c>, <c>2h</c> or <c>7d</c>; null if it is none of them.</summary>
    public static TimeSpan? ParseDuration(string text)
    {
        (string Suffix, double Seconds)[] units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400), ("", 1)];
        foreach (var (suffix, seconds) in units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal)
                && double.TryParse(text[..^suffix.Length], System.Globalization.NumberStyles.AllowDecimalPoint, null, out var number)
                && number * seconds <= 366 * 86400)
            {
                return TimeSpan.FromSeconds(number * seconds);
            }
        }

        return null;
    }
}
