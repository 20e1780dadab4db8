using System.Text;
using System.Text.RegularExpressions;

namespace Ashlar.Edge.Web;

/// <summary>
/// What a rule says of paths: a prefix of whole segments, wildcards, or a regular expression that takes time in proportion to the path
/// (RegexOptions.NonBacktracking), whatever it says.
/// </summary>
internal sealed class PathPattern
{
    private readonly byte[]? _prefix;
    private readonly Regex? _expression;

    private PathPattern(byte[]? prefix, Regex? expression)
    {
        _prefix = prefix;
        _expression = expression;
    }

    /// <summary>A prefix, or a pattern with <c>*</c> (text within a segment) and <c>**</c> (any text).</summary>
    public static PathPattern Of(string path)
    {
        if (!path.Contains('*', StringComparison.Ordinal))
        {
            return new PathPattern(Encoding.UTF8.GetBytes(path.TrimEnd('/')), null);
        }

        var expression = Regex.Escape(path).Replace(@"\*\*", "(.*)", StringComparison.Ordinal).Replace(@"\*", "([^/]*)", StringComparison.Ordinal);
        return new PathPattern(null, Compile($"^{expression}(?:[/;].*)?$"));
    }

    /// <summary>A regular expression.</summary>
    public static PathPattern OfExpression(string expression) => new(null, Compile(expression));

    /// <summary>Whether a path is meant.</summary>
    /// <param name="path">By <see cref="NormalPath"/>.</param>
    /// <param name="text">The same as text.</param>
    public bool Covers(ReadOnlySpan<byte> path, ReadOnlySpan<char> text) => _prefix is { } prefix
        ? path.StartsWith(prefix) && (path.Length == prefix.Length || prefix.Length == 0 || path[prefix.Length] is (byte)'/' or (byte)';')
        : _expression!.IsMatch(text);

    /// <summary>
    /// Puts what wildcards and groups stand for (<c>$1</c> to <c>$9</c>, <c>$0</c> the whole path) into a text, encoded as a URL needs it.
    /// </summary>
    public string Expand(string target, string path)
    {
        if (!target.Contains('$', StringComparison.Ordinal))
        {
            return target;
        }

        var groups = _expression?.Match(path).Groups;
        var result = new StringBuilder();
        for (var i = 0; i < target.Length; i++)
        {
            if (target[i] == '$' && i + 1 < target.Length && char.IsAsciiDigit(target[i + 1]))
            {
                var number = target[++i] - '0';
                Encode(number == 0 ? path : groups is not null && number < groups.Count ? groups[number].Value : "", result);
            }
            else
            {
                result.Append(target[i]);
            }
        }

        return result.ToString();
    }

    private static Regex Compile(string expression) =>
        new(expression, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline);

    private static void Encode(string text, StringBuilder result)
    {
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || "-._~/!$&'()*+,;=:@".Contains((char)b, StringComparison.Ordinal))
            {
                result.Append((char)b);
            }
            else
            {
                result.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
            }
        }
    }
}
