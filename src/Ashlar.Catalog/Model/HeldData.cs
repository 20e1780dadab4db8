using System.Globalization;

namespace Ashlar.Catalog;

/// <summary>
/// What an engine is told that has held data before: without it, a folder that is not mounted looks like one that was never used, and
/// a new empty database would take the place of what people have.
/// </summary>
public static class HeldData
{
    /// <summary>Variable with the time since when; absent: never. The agent sets it for instances that <see cref="DesiredInstance.KeepsData"/>.</summary>
    public const string Variable = "ASHLAR_DATA_SINCE";

    /// <summary>Name of the file that a person puts into an instance's folder to say that it is to begin empty.</summary>
    public const string StartEmpty = "start-empty";

    /// <summary>The value for a time.</summary>
    public static string Write(DateTimeOffset since) => since.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    /// <summary>Reads a value; null: it is none.</summary>
    public static DateTimeOffset? Read(string? value) =>
        DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since) ? since : null;

    /// <summary>The time for people.</summary>
    public static string Show(DateTimeOffset since) => since.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
