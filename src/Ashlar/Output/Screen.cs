using System.Text;

namespace Ashlar.Output;

/// <summary>The colours that the program uses; the names say the meaning where there is one.</summary>
internal enum Ink
{
    /// <summary>As the terminal writes.</summary>
    Plain,

    /// <summary>Healthy, done.</summary>
    Good,

    /// <summary>On its way, or worth a look.</summary>
    Warning,

    /// <summary>Failed.</summary>
    Bad,

    /// <summary>Less important.</summary>
    Dim,

    /// <summary>A heading or a name.</summary>
    Strong,
}

/// <summary>Where output goes and what it can show there.</summary>
internal sealed class Screen(TextWriter writer)
{
    /// <summary>True: lines can be rewritten (a terminal that is not dumb).</summary>
    public bool Animated { get; init; }

    /// <summary>True: ANSI colours are written.</summary>
    public bool Colour { get; init; }

    /// <summary>Columns; no bound where it is no terminal.</summary>
    public Func<int> Columns { get; init; } = () => int.MaxValue;

    /// <summary>The columns there are now.</summary>
    public int Width => Columns();

    /// <summary>Standard output or error as the environment says: NO_COLOR, CLICOLOR_FORCE and TERM=dumb are heeded.</summary>
    public static Screen OfDescriptor(int descriptor, Func<string, string?> environment)
    {
        var terminal = Terminal.Is(descriptor);
        var capable = terminal && environment("TERM") is not ("dumb" or "" or null);
        var forced = environment("CLICOLOR_FORCE") is { Length: > 0 } force && force != "0";
        var writer = new StreamWriter(new StandardStream(descriptor), new UTF8Encoding(false)) { AutoFlush = true };
        return new Screen(writer)
        {
            Animated = capable,
            Colour = (capable || forced) && string.IsNullOrEmpty(environment("NO_COLOR")),
            Columns = terminal ? () => Terminal.Width(descriptor) : () => int.MaxValue,
        };
    }

    /// <summary>Writes text as it is, in one piece.</summary>
    public void Write(string text) => writer.Write(text);

    /// <summary>Writes a line.</summary>
    public void Line(string text = "") => writer.Write(text + "\n");

    /// <summary>The text in a colour, if there are colours here.</summary>
    public string Paint(string text, Ink ink) => ink switch
    {
        _ when !Colour || text.Length == 0 => text,
        Ink.Good => $"\e[32m{text}\e[0m",
        Ink.Warning => $"\e[33m{text}\e[0m",
        Ink.Bad => $"\e[31m{text}\e[0m",
        Ink.Dim => $"\e[2m{text}\e[0m",
        Ink.Strong => $"\e[1m{text}\e[0m",
        _ => text,
    };
}
