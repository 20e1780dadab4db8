using System.Globalization;
using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>A number and the letters behind it, as sizes and durations are written.</summary>
/// <param name="Number">The number.</param>
/// <param name="Digits">The number as it is written.</param>
/// <param name="Unit">The letters; empty if there are none.</param>
internal readonly partial record struct Quantity(decimal Number, string Digits, string Unit)
{
    /// <summary>Null if the text is anything else.</summary>
    public static Quantity? Parse(string text) =>
        Written().Match(text) is { Success: true } match
        && decimal.TryParse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture, out var number)
            ? new Quantity(number, match.Groups["number"].Value, match.Groups["unit"].Value)
            : null;

    [GeneratedRegex(@"^(?<number>[0-9]{1,18}(\.[0-9]{1,6})?) ?(?<unit>[A-Za-z]{0,8})\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Written();
}
