using System.Text;

namespace Ashlar.Edge.Web;

/// <summary>Names of files that are the source of a script, or a copy of one that an editor, a person or a patch has left beside it.</summary>
internal static class ScriptSource
{
    private static readonly byte[][] _scripts =
    [
        ".php"u8.ToArray(), ".php3"u8.ToArray(), ".php4"u8.ToArray(), ".php5"u8.ToArray(), ".php7"u8.ToArray(), ".php8"u8.ToArray(),
        ".phtml"u8.ToArray(), ".phar"u8.ToArray(), ".cgi"u8.ToArray(),
    ];

    private static readonly byte[][] _copies =
    [
        "~"u8.ToArray(), ".bak"u8.ToArray(), ".old"u8.ToArray(), ".orig"u8.ToArray(), ".rej"u8.ToArray(), ".save"u8.ToArray(), ".swp"u8.ToArray(),
        ".swo"u8.ToArray(), ".tmp"u8.ToArray(), ".gz"u8.ToArray(), ".br"u8.ToArray(),
    ];

    /// <summary>True: the name is one of those, in whatever case.</summary>
    public static bool Is(ReadOnlySpan<byte> name)
    {
        while (Ending(name, _copies) is var length and > 0)
        {
            name = name[..^length];
        }

        return Ending(name, _scripts) > 0;
    }

    private static int Ending(ReadOnlySpan<byte> name, byte[][] endings)
    {
        foreach (var ending in endings)
        {
            if (name.Length > ending.Length && Ascii.EqualsIgnoreCase(name[^ending.Length..], ending))
            {
                return ending.Length;
            }
        }

        return 0;
    }
}
