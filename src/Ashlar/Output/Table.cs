using System.Text;

namespace Ashlar.Output;

/// <summary>A column of a table.</summary>
/// <param name="Heading">In capitals, as <c>ps</c> does.</param>
/// <param name="Right">True for numbers.</param>
internal sealed record Column(string Heading, bool Right = false);

/// <summary>One cell with its colour.</summary>
internal readonly record struct Cell(string Text, Ink Ink = Ink.Plain)
{
    public static implicit operator Cell(string text) => new(text);
}

/// <summary>Rows in aligned columns, two blanks apart. What does not fit the screen is cut off its last column.</summary>
internal sealed class Table(params Column[] columns)
{
    private readonly List<Cell[]> _rows = [];

    /// <summary>Adds a row; missing cells are empty. A row of one cell runs across all columns.</summary>
    public void Add(params Cell[] cells) => _rows.Add(cells);

    /// <summary>The table as text, each line ended.</summary>
    public string Render(Screen screen)
    {
        var widths = columns.Select((column, i) => _rows.Where(row => row.Length > 1 || columns.Length == 1)
            .Select(row => i < row.Length ? row[i].Text.Length : 0).Append(column.Heading.Length).Max()).ToArray();
        var text = new StringBuilder();
        if (columns.Any(column => column.Heading.Length > 0))
        {
            Row(text, screen, widths, [.. columns.Select(column => new Cell(column.Heading, Ink.Dim))]);
        }

        foreach (var row in _rows) Row(text, screen, widths, row);
        return text.ToString();
    }

    private void Row(StringBuilder text, Screen screen, int[] widths, Cell[] cells)
    {
        var left = screen.Width;
        for (var i = 0; i < cells.Length && left > 0; i++)
        {
            var (content, ink) = cells[i];
            var last = i == cells.Length - 1;
            if (content.Length > left) content = left > 1 ? content[..(left - 1)] + "…" : "";
            var padding = new string(' ', Math.Max(0, cells.Length == 1 ? 0 : Math.Min(widths[i], left) - content.Length));
            var painted = screen.Paint(content, ink);
            text.Append(columns[i].Right ? padding + painted : last ? painted : painted + padding);
            if (!last) text.Append("  ");
            left -= content.Length + padding.Length + 2;
        }

        while (text.Length > 0 && text[^1] == ' ') text.Length--;
        text.Append('\n');
    }
}
