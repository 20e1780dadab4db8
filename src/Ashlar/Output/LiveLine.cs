namespace Ashlar.Output;

/// <summary>Lines that scroll up above one status line that stays at the bottom, where the screen can; else lines only.</summary>
internal sealed class LiveLine(Screen screen) : IDisposable
{
    private readonly Lock _lock = new();
    private string _status = "";
    private bool _disposed;

    /// <summary>Writes a line (or several) above the status line.</summary>
    public void Line(string text)
    {
        lock (_lock)
        {
            screen.Write(_status.Length > 0 ? $"\r\e[K{text}\n{_status}" : text + "\n");
        }
    }

    /// <summary>Sets the status line; empty removes it. It must fit the screen and is cut if it does not.</summary>
    public void Status(string text, Ink ink = Ink.Plain)
    {
        lock (_lock)
        {
            if (!screen.Animated || _disposed) return;
            if (text.Length >= screen.Width) text = text[..Math.Max(0, screen.Width - 2)] + "…";
            var painted = screen.Paint(text, ink);
            if (painted == _status) return;
            screen.Write("\r\e[K" + painted);
            _status = painted;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Status("");
        _disposed = true;
    }
}
