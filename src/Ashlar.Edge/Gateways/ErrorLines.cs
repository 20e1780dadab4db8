using System.Text;

namespace Ashlar.Edge.Gateways;

/// <summary>
/// What a script says on its standard error, line by line, as the edge's log takes it: bounded in length and number a request, control
/// characters escaped, so that no script forges a line of another.
/// </summary>
internal sealed class ErrorLines(Action<string> say)
{
    private const int LongestLine = 2000;
    private const int MostLines = 50;

    private readonly StringBuilder _line = new();
    private string _who = "";
    private int _lines;

    /// <summary>A request begins.</summary>
    /// <param name="who">The instance that serves it.</param>
    public void Begin(string who)
    {
        _line.Clear();
        _who = who;
        _lines = 0;
    }

    /// <summary>Takes more of what is said.</summary>
    public void Add(ReadOnlySpan<byte> text)
    {
        foreach (var b in text)
        {
            if (b is (byte)'\n' or 0)
            {
                End();
            }
            else if (_line.Length < LongestLine && b != '\r')
            {
                // What is not ASCII stands byte by byte: a line is for reading, and the bytes may be of any encoding.
                _line.Append(b is >= 0x20 and not 0x7f ? (char)b : '?');
            }
        }
    }

    /// <summary>Ends the line that has begun, if any.</summary>
    public void End()
    {
        if (_line.Length > 0 && ++_lines <= MostLines)
        {
            say(_lines == MostLines ? $"{_who}: further lines of this request are left out" : $"{_who}: {_line}");
        }

        _line.Clear();
    }
}
