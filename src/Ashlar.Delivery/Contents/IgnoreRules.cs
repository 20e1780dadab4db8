using System.Text;
using System.Text.RegularExpressions;

namespace Ashlar.Delivery.Contents;

/// <summary>
/// What of a stack's folder is no part of a release. Always <c>.git</c> and <c>.ashlar</c>, and at the top the files that are read as
/// settings; then what <c>.ashlarignore</c> says, in gitignore's language: <c>#</c>, <c>!</c>, a leading or trailing <c>/</c>, <c>*</c>,
/// <c>?</c>, <c>[a-z]</c>, <c>**</c>. As there, nothing can be taken back in below a folder that is left out.
/// </summary>
internal sealed class IgnoreRules
{
    /// <summary>Name of the file.</summary>
    public const string FileName = ".ashlarignore";

    private const int LargestFile = 1 << 20;
    private readonly List<(Regex Pattern, bool Negated, bool FoldersOnly)> _rules = [];

    private IgnoreRules(string text)
    {
        foreach (var raw in text.Split('\n'))
        {
            var line = raw.TrimEnd('\r', ' ', '\t');
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var negated = line[0] == '!';
            line = negated ? line[1..] : line;
            var foldersOnly = line.EndsWith('/');
            if (line.TrimEnd('/') is { Length: > 0 } pattern)
            {
                _rules.Add((Compile(pattern), negated, foldersOnly));
            }
        }
    }

    /// <summary>The rules of a stack's folder.</summary>
    /// <exception cref="Errors.AshlarException">ASH5003: the file is there and cannot be read.</exception>
    public static IgnoreRules Of(string root)
    {
        var path = Path.Combine(root, FileName);
        if (FileStatus.Of(path) is not { } status)
        {
            return new IgnoreRules("");
        }

        if (status.Kind is not (FileKind.File or FileKind.Link) || status.Size > LargestFile)
        {
            throw DeliveryErrors.FileUnreadable(path, "it is not a file of at most 1 MiB");
        }

        try
        {
            return new IgnoreRules(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DeliveryErrors.FileUnreadable(path, e.Message.TrimEnd('.'), e);
        }
    }

    internal static IgnoreRules Parse(string text) => new(text);

    /// <summary>True: left out.</summary>
    /// <param name="path">Relative to the stack's folder, with <c>/</c>.</param>
    /// <param name="folder">It is a folder.</param>
    public bool Ignores(string path, bool folder)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        if (name is ".git" or ".ashlar" || (name.Length == path.Length && IsSettings(name)))
        {
            return true;
        }

        var ignored = false;
        foreach (var (pattern, negated, foldersOnly) in _rules)
        {
            if (ignored == negated && (folder || !foldersOnly) && pattern.IsMatch(path))
            {
                ignored = !negated;
            }
        }

        return ignored;
    }

    // They come into the release as parsed settings; .env holds secrets, which no release's folder holds.
    private static bool IsSettings(string name) =>
        name is "ashlar.yaml" or "ashlar.yml" or "app.json" or ".env" || name.StartsWith("Procfile", StringComparison.Ordinal);

    private static Regex Compile(string pattern)
    {
        var anchored = pattern.Contains('/');
        pattern = pattern.TrimStart('/');
        var regex = new StringBuilder(anchored ? "^" : "(^|/)");
        for (var i = 0; i < pattern.Length; i++)
        {
            var rest = pattern.AsSpan(i);
            if (rest.StartsWith("**/"))
            {
                regex.Append("(.*/)?");
                i += 2;
            }
            else if (rest.StartsWith("**"))
            {
                regex.Append(".*");
                i++;
            }
            else if (pattern[i] == '[' && pattern.IndexOf(']', Math.Min(i + 2, pattern.Length)) is var end and > 0)
            {
                var set = pattern[(i + 1)..end];
                var not = set[0] is '!' or '^';
                regex.Append(not ? "[^/" : "[").Append(Regex.Replace(not ? set[1..] : set, @"[\\\[\]^]", @"\$0")).Append(']');
                i = end;
            }
            else
            {
                regex.Append(pattern[i] switch
                {
                    '*' => "[^/]*",
                    '?' => "[^/]",
                    '\\' when i + 1 < pattern.Length => Regex.Escape(pattern[++i].ToString()),
                    var c => Regex.Escape(c.ToString()),
                });
            }
        }

        try
        {
            return new Regex(regex.Append('$').ToString(), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return new Regex($"^{Regex.Escape(pattern)}$", RegexOptions.CultureInvariant);
        }
    }
}
