using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>Names of zones: labels of letters, digits, hyphens and underscores; a slash too, for parts of reverse zones (RFC 2317).</summary>
internal static partial class ZoneName
{
    /// <summary>What a schema says of it.</summary>
    public const string Pattern = @"^[A-Za-z0-9_]([A-Za-z0-9_/-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_/-]{0,62}))*\.?$";

    private const int MostCharacters = 253;

    /// <summary>The name in lower case without a dot at its end; null: it is none.</summary>
    public static string? Fit(string text) => text.Length <= MostCharacters + 1 && Shape().IsMatch(text) ? text.TrimEnd('.').ToLowerInvariant() : null;

    [GeneratedRegex(Pattern, RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Shape();
}
