using System.Text.RegularExpressions;

namespace Ashlar.Fleet.Placement;

/// <summary>What a label of a machine may be: what the stack file allows for names.</summary>
public static partial class MachineLabel
{
    /// <summary>True: it is one.</summary>
    public static bool IsOne(string text) => Pattern().IsMatch(text);

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\z", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
