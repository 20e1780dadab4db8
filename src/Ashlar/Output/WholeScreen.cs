using System.Text;

namespace Ashlar.Output;

/// <summary>The terminal's other screen, drawn anew each time without flicker; what was shown before comes back at the end.</summary>
internal sealed class WholeScreen : IDisposable
{
    private readonly Screen _screen;

    public WholeScreen(Screen screen)
    {
        _screen = screen;
        screen.Write("\e[?1049h\e[?25l\e[2J");
    }

    /// <summary>Shows a text; what does not fit the screen's rows is cut, but for the last line.</summary>
    public void Show(string text)
    {
        var lines = text.Split('\n');
        var rows = Math.Max(2, Terminal.Rows(1));
        var shown = lines.Length <= rows ? lines : [.. lines[..(rows - 1)], lines[^1]];
        var output = new StringBuilder("\e[H");
        for (var i = 0; i < shown.Length; i++)
        {
            output.Append(shown[i]).Append("\e[K").Append(i < shown.Length - 1 ? "\r\n" : "");
        }

        _screen.Write(output.Append("\e[J").ToString());
    }

    /// <inheritdoc />
    public void Dispose() => _screen.Write("\e[?25h\e[?1049l");
}

/// <summary>Single keys from the terminal on standard input, not shown as they are typed.</summary>
internal sealed class Keys : IDisposable
{
    private readonly IDisposable? _raw;

    private Keys(IDisposable? raw) => _raw = raw;

    /// <summary>Begins to take single keys; where standard input is no terminal none ever comes.</summary>
    public static Keys Open() => new(Terminal.Is(0) ? Terminal.TakeKeys() : null);

    /// <summary>A key that was typed, or null; does not wait.</summary>
    public char? Read() => _raw is null ? null : Terminal.ReadKey();

    /// <inheritdoc />
    public void Dispose() => _raw?.Dispose();
}
