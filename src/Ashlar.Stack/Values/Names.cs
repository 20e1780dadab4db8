using System.Text;
using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>The names a stack file may give.</summary>
internal static partial class Names
{
    /// <summary>A stack or service: a DNS label of at most 40 characters (RFC 1123, section 2.1), so it fits in host names and sockets' paths.</summary>
    public const string LabelPattern = "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$";

    /// <summary>A variable (POSIX.1-2017, Base Definitions 8.1; lower case allowed as shells do).</summary>
    public const string VariablePattern = "^[A-Za-z_][A-Za-z0-9_]*$";

    /// <summary>A user of the machine (useradd's own rule).</summary>
    public const string UserPattern = "^[a-z_][a-z0-9_-]{0,31}$";

    public static bool IsLabel(string text) => Label().IsMatch(text);

    public static bool IsVariable(string text) => text.Length <= 256 && Variable().IsMatch(text);

    public static bool IsUser(string text) => User().IsMatch(text);

    /// <summary>The label nearest to any text; <paramref name="otherwise"/> when nothing of it can stay.</summary>
    public static string Fit(string text, string otherwise)
    {
        var label = new StringBuilder();
        foreach (var c in text.Length > 200 ? text[..200] : text)
        {
            var lower = char.ToLowerInvariant(c);
            if (char.IsAsciiLetterOrDigit(lower))
            {
                label.Append(lower);
            }
            else if (label.Length > 0 && label[^1] != '-')
            {
                label.Append('-');
            }

            if (label.Length == 40)
            {
                break;
            }
        }

        var fitted = label.ToString().TrimEnd('-');
        return fitted.Length == 0 ? otherwise : fitted;
    }

    // \z, not $: the latter would let a trailing line feed pass.
    [GeneratedRegex(@"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Label();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Variable();

    [GeneratedRegex(@"^[a-z_][a-z0-9_-]{0,31}\z", RegexOptions.CultureInvariant)]
    private static partial Regex User();
}
