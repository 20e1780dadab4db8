using System.Text.RegularExpressions;

namespace Ashlar.Fleet.Identity;

/// <summary>What a machine may be called: a DNS label without surprises (RFC 1123, section 2.1).</summary>
public static partial class MachineName
{
    /// <summary>Gives the name back.</summary>
    /// <exception cref="Errors.AshlarException">ASH7505.</exception>
    public static string Check(string name) => Pattern().IsMatch(name) ? name : throw FleetErrors.BadName(name);

    [GeneratedRegex(@"\A[a-z]([a-z0-9-]{0,38}[a-z0-9])?\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
