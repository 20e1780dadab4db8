using System.Text;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Zones;

/// <summary>An entry of a master file: a line, or several in parentheses.</summary>
/// <param name="Words">Its words; one at least.</param>
/// <param name="BeginsBlank">True: it begins with a blank, so the owner is that of the entry before.</param>
internal sealed record MasterEntry(IReadOnlyList<MasterWord> Words, bool BeginsBlank);

/// <summary>Splits a master file into words: comments, quotes, escapes and parentheses (RFC 1035, 5.1).</summary>
internal static class MasterWords
{
    private const int MostWords = 100_000;

    /// <summary>The entries, one after the other.</summary>
    /// <param name="text">The file.</param>
    /// <param name="mistaken">Told of line, column and what is wrong; that entry is left out.</param>
    public static IEnumerable<MasterEntry> Entries(string text, Action<int, int, string> mistaken)
    {
        var words = new List<MasterWord>();
        var (line, start, depth, opened, blank, bad) = (1, 0, 0, (Line: 0, Column: 0), text is [' ' or '\t', ..], false);
        for (var at = 0; at <= text.Length; at++)
        {
            var c = at < text.Length ? text[at] : '\n';
            var column = at - start + 1;
            if (c == '\n')
            {
                if (depth == 0 || at == text.Length)
                {
                    if (depth > 0)
                    {
                        mistaken(opened.Line, opened.Column, "this parenthesis is never closed");
                        (depth, bad) = (0, true);
                    }

                    if (words.Count > 0 && !bad)
                    {
                        yield return new MasterEntry(words, blank);
                    }

                    (words, bad) = ([], false);
                }

                (line, start) = (line + 1, at + 1);
                blank = depth == 0 ? at + 1 < text.Length && text[at + 1] is (' ' or '\t') : blank;
            }
            else if (c == ';')
            {
                at = text.IndexOf('\n', at) is >= 0 and var end ? end - 1 : text.Length - 1;
            }
            else if (c is '(' or ')')
            {
                opened = c == '(' && depth == 0 ? (line, column) : opened;
                depth += c == '(' ? 1 : -1;
                if (depth is < 0 or > 1)
                {
                    mistaken(line, column, depth < 0 ? "this parenthesis was never opened" : "a parenthesis is open already");
                    (depth, bad) = (Math.Clamp(depth, 0, 1), true);
                }
            }
            else if (c is not (' ' or '\t' or '\r'))
            {
                var (word, next, wrong) = c == '"' ? Quoted(text, at + 1) : Plain(text, at);
                if (wrong is not null || words.Count >= MostWords)
                {
                    mistaken(line, column, wrong ?? $"an entry has more than {MostWords} words");
                    bad = true;
                }
                else
                {
                    words.Add(new MasterWord(word, line, column, c == '"'));
                }

                at = next - 1;
            }
        }
    }

    private static (string Word, int Next, string? Wrong) Plain(string text, int at)
    {
        var begin = at;
        while (at < text.Length && text[at] is not (' ' or '\t' or '\r' or '\n' or ';' or '(' or ')' or '"'))
        {
            at += text[at] == '\\' && at + 1 < text.Length && text[at + 1] != '\n' ? 2 : 1;
        }

        return (text[begin..at], at, null);
    }

    private static (string Word, int Next, string? Wrong) Quoted(string text, int at)
    {
        var word = new StringBuilder();
        for (; at < text.Length && text[at] != '\n'; at++)
        {
            if (text[at] == '"')
            {
                return (word.ToString(), at + 1, null);
            }

            word.Append(text[at]);
            if (text[at] == '\\' && at + 1 < text.Length && text[at + 1] != '\n')
            {
                word.Append(text[++at]);
            }
        }

        return ("", at, "these quotes are never closed");
    }
}
