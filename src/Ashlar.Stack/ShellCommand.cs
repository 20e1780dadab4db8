using System.Buffers;
using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Ashlar.Stack;

/// <summary>
/// Turns a command line into what a process is started with. A shell is needed for variables and quotes, but it must not
/// stay as the parent of the app, or signals would reach the shell and not the app: one simple command is run by <c>exec</c>.
/// </summary>
public static partial class ShellCommand
{
    // POSIX.1-2017, Shell Command Language 2.4 and 2.14, and the built-ins that have no program of the same name or
    // would lose their meaning in one.
    private static readonly HashSet<string> ShellsOwn = new(StringComparer.Ordinal)
    {
        "!", "{", "}", "[[", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select", "then",
        "time", "until", "while", ".", ":", "alias", "bg", "break", "cd", "command", "continue", "eval", "exec", "exit", "export",
        "fg", "getopts", "hash", "jobs", "local", "read", "readonly", "return", "set", "shift", "source", "times", "trap", "type",
        "ulimit", "umask", "unalias", "unset", "wait",
    };

    private static readonly SearchValues<char> Expanding = SearchValues.Create("$`~*?[");

    /// <summary>Program and arguments: <c>/bin/sh -c</c> with the line, prefixed with <c>exec</c> where that keeps its meaning.</summary>
    /// <param name="commandLine">As the stack file or Procfile has it.</param>
    public static ImmutableArray<string> ToArguments(string commandLine) => ["/bin/sh", "-c", WithExec(commandLine)];

    /// <summary>
    /// The line with <c>exec</c> before it if it is one simple command; assignments before it go to <c>env</c> when no
    /// expansion could split them. Any other line (lists, pipes, conditions, built-ins, groups) is left as it is.
    /// </summary>
    /// <param name="commandLine">As the stack file or Procfile has it.</param>
    public static string WithExec(string commandLine)
    {
        ArgumentNullException.ThrowIfNull(commandLine);
        var line = commandLine.Trim();
        if (Words(line) is not { Count: > 0 } words)
        {
            return line;
        }

        var assignments = words.TakeWhile(w => Assignment().IsMatch(w)).ToList();
        if (assignments.Count == words.Count || assignments.Exists(a => a.AsSpan().ContainsAny(Expanding)))
        {
            return line;
        }

        var program = words[assignments.Count];
        if (ShellsOwn.Contains(program) || program.AsSpan().ContainsAny("<>"))
        {
            return line;
        }

        return assignments.Count == 0 ? $"exec {line}" : $"exec env {line}";
    }

    /// <summary>The words of a simple command as they are written; null when the line is more than one simple command.</summary>
    private static List<string>? Words(string line)
    {
        var words = new List<string>();
        var start = -1;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c is ' ' or '\t')
            {
                End(i);
                continue;
            }

            // A descriptor may be copied (2>&1); any other & ends a command.
            var copies = c == '&' && i > 0 && line[i - 1] is '>' or '<';
            if (c is ';' or '|' or '(' or ')' or '\n' or '\r' || (c == '&' && !copies) || (c == '#' && start < 0))
            {
                return null;
            }

            start = start < 0 ? i : start;
            i = c switch
            {
                '\\' => i + 1,
                '\'' => line.IndexOf('\'', i + 1),
                '"' => EndOfDoubleQuotes(line, i),
                '$' when i + 1 < line.Length && line[i + 1] is '(' or '{' => EndOfExpansion(line, i + 1),
                '`' => line.IndexOf('`', i + 1),
                _ => i,
            };
            if (i < 0 || i >= line.Length)
            {
                return null;
            }
        }

        End(line.Length);
        return words;

        void End(int index)
        {
            if (start >= 0)
            {
                words.Add(line[start..index]);
                start = -1;
            }
        }
    }

    private static int EndOfDoubleQuotes(string line, int open)
    {
        for (var i = open + 1; i < line.Length; i++)
        {
            switch (line[i])
            {
                case '\\':
                    i++;
                    break;
                case '"':
                    return i;
                case '`':
                case '$' when i + 1 < line.Length && line[i + 1] == '(':
                    // Quotes may nest in there; such a line is left to the shell as it is.
                    return -1;
            }
        }

        return -1;
    }

    private static int EndOfExpansion(string line, int open)
    {
        var (opening, closing) = line[open] == '(' ? ('(', ')') : ('{', '}');
        var depth = 0;
        for (var i = open; i < line.Length; i++)
        {
            if (line[i] is '\\' or '\'' or '"')
            {
                return -1;
            }

            depth += line[i] == opening ? 1 : line[i] == closing ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }

        return -1;
    }

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*=")]
    private static partial Regex Assignment();
}
