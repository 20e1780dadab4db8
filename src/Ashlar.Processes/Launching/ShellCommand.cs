using System.Buffers;
using System.Collections.Immutable;

namespace Ashlar.Processes;

/// <summary>
/// Turns a command line as people write it (a Procfile's, <c>run:</c>) into arguments. A shell that stays between us and the
/// app would take the signals and hide the exit, so it is left out or told to <c>exec</c> wherever the line is one simple command.
/// </summary>
public static class ShellCommand
{
    private static readonly SearchValues<char> Special = SearchValues.Create("|&;<>()$`\\\"'*?[]#~=%{}!\n\r\t");
    private static readonly SearchValues<char> NotSimple = SearchValues.Create("|&;()`{}\n\r#");

    private static readonly ImmutableHashSet<string> NotPrograms =
    [
        "if", "while", "until", "for", "case", "!", "{", ".", ":", "alias", "bg", "break", "cd", "command", "continue", "eval",
        "exec", "exit", "export", "fg", "getopts", "hash", "jobs", "local", "read", "readonly", "return", "set", "shift",
        "source", "time", "times", "trap", "type", "ulimit", "umask", "unalias", "unset", "wait", "[[", "function", "select",
    ];

    /// <summary>The arguments to start it with: the words themselves where the line has nothing for a shell to do, else <c>/bin/sh -c</c>.</summary>
    /// <exception cref="ArgumentException">The line is empty.</exception>
    public static ImmutableArray<string> ToArguments(string line)
    {
        line = line.Trim();
        ArgumentException.ThrowIfNullOrEmpty(line);
        var first = FirstProgram(line);
        if (!line.AsSpan().ContainsAny(Special) && first is not null)
            return [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        return ["/bin/sh", "-c", first is not null && IsSimple(line) ? line.Insert(first.Value, "exec ") : line];
    }

    /// <summary>Where the program's name begins, behind assignments; null if what stands there is the shell's own.</summary>
    private static int? FirstProgram(string line)
    {
        var start = 0;
        while (true)
        {
            var end = start;
            while (end < line.Length && line[end] is not (' ' or '\t'))
                end++;
            var word = line[start..end];
            var equals = word.IndexOf('=');
            var assignment = equals > 0 && !char.IsAsciiDigit(word[0]) && word.AsSpan(0, equals).IndexOfAnyExcept(NameLetters) < 0;
            if (!assignment)
                return word.Length == 0 || NotPrograms.Contains(word) ? null : start;
            if (word.AsSpan().IndexOfAny('\'', '"', '\\') >= 0)
                return null; // A quoted value may hold blanks: leave it to the shell.
            start = end;
            while (start < line.Length && line[start] is ' ' or '\t')
                start++;
        }
    }

    private static readonly SearchValues<char> NameLetters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    /// <summary>True: no list, pipe, group, substitution or background, outside of quotes. When in doubt, false.</summary>
    private static bool IsSimple(string line)
    {
        var quote = '\0';
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (quote == '\'')
            {
                quote = c == '\'' ? '\0' : quote;
                continue;
            }
            switch (c)
            {
                case '\\':
                    i++;
                    break;
                case '"':
                    quote = quote == '"' ? '\0' : '"';
                    break;
                case '\'' when quote == '\0':
                    quote = '\'';
                    break;
                case '&' when quote == '\0' && i > 0 && line[i - 1] is '>' or '<':
                    break; // 2>&1
                case '{' or '}' when quote == '"' || (i > 0 && line[i - 1] == '$') || line.LastIndexOf("${", i, StringComparison.Ordinal) >= 0:
                    break; // ${PORT:-80}
                case '$' when i + 1 < line.Length && line[i + 1] == '(':
                case '`':
                    return false;
                default:
                    if (quote == '\0' && NotSimple.Contains(c))
                        return false;
                    break;
            }
        }
        return quote == '\0';
    }
}
