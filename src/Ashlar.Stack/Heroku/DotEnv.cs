using System.Collections.Immutable;
using System.Text;

namespace Ashlar.Stack;

/// <summary>
/// A <c>.env</c> file: <c>NAME=value</c> lines, <c>export</c> before them, comments, values in single quotes (literal) or
/// double quotes (with escapes), both of which may run over lines. <c>$</c> is a dollar: nothing is expanded.
/// Nothing of a value ever reaches a diagnostic.
/// </summary>
internal sealed class DotEnv
{
    private readonly SourceFile _file;
    private readonly Report _report;
    private readonly string _text;
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);
    private int _at;

    private DotEnv(SourceFile file, Report report)
    {
        _file = file;
        _report = report;
        _text = file.Text;
    }

    public static ImmutableSortedDictionary<string, string> Read(SourceFile file, Report report) => new DotEnv(file, report).Variables();

    private ImmutableSortedDictionary<string, string> Variables()
    {
        var variables = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        while (_at < _text.Length)
        {
            SkipBlanks();
            if (_at < _text.Length && _text[_at] is not ('\n' or '\r' or '#'))
            {
                Assignment(variables);
            }

            SkipLine();
        }

        return variables.ToImmutable();
    }

    private void Assignment(ImmutableSortedDictionary<string, string>.Builder variables)
    {
        SkipExport();
        var start = _at;
        while (_at < _text.Length && _text[_at] is not ('=' or '\n'))
        {
            _at++;
        }

        if (_at == _text.Length || _text[_at] == '\n')
        {
            _report.Add(StackErrors.BadEnvLine(_file.At(start), "this line gives no variable a value"));
            return;
        }

        var name = _text[start.._at].Trim();
        _at++;
        if (!VariableReader.Check(name, _file.At(start), _report))
        {
            // The rest is read as a value all the same, so that its other lines are not taken for assignments.
            Value();
            return;
        }

        if (Value() is { } value)
        {
            var line = _file.At(start).Line;
            if (!_lines.TryAdd(name, line))
            {
                _report.Add(StackErrors.VariableAgain(_file.At(start), name, _lines[name]));
            }

            variables[name] = value;
        }
    }

    private string? Value()
    {
        SkipBlanks();
        return _at == _text.Length ? "" : _text[_at] switch
        {
            '\'' => Quoted('\''),
            '"' => Quoted('"'),
            _ => Bare(),
        };
    }

    /// <summary>To the end of the line or a # after a blank.</summary>
    private string Bare()
    {
        var start = _at;
        while (_at < _text.Length && _text[_at] != '\n' && !(_text[_at] == '#' && (_at == start || _text[_at - 1] is ' ' or '\t')))
        {
            _at++;
        }

        return _text[start.._at].Trim();
    }

    private string? Quoted(char quote)
    {
        var start = _at++;
        var value = new StringBuilder();
        while (_at < _text.Length && _text[_at] != quote)
        {
            if (quote == '"' && _text[_at] == '\\' && _at + 1 < _text.Length)
            {
                value.Append(Escape(_text[++_at]));
            }
            else if (_text[_at] != '\r' || _at + 1 == _text.Length || _text[_at + 1] != '\n')
            {
                value.Append(_text[_at]);
            }

            _at++;
        }

        if (_at == _text.Length)
        {
            _report.Add(StackErrors.BadEnvLine(_file.At(start), "the quote that opens here is never closed"));

            // One forgotten quote must not hide the mistakes of the other lines.
            _at = start;
            return null;
        }

        _at++;
        SkipBlanks();
        if (_at < _text.Length && _text[_at] is not ('\n' or '\r' or '#'))
        {
            _report.Add(StackErrors.BadEnvLine(_file.At(_at), "something follows the closing quote"));
            return null;
        }

        return value.ToString();
    }

    private static string Escape(char c) => c switch
    {
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        '"' or '\\' or '$' => c.ToString(),
        _ => "\\" + c,
    };

    private void SkipExport()
    {
        const string Export = "export";
        if (_text.AsSpan(_at).StartsWith(Export) && _at + Export.Length < _text.Length && _text[_at + Export.Length] is ' ' or '\t')
        {
            _at += Export.Length;
            SkipBlanks();
        }
    }

    private void SkipBlanks()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t')
        {
            _at++;
        }
    }

    private void SkipLine()
    {
        while (_at < _text.Length && _text[_at] != '\n')
        {
            _at++;
        }

        _at++;
    }
}
