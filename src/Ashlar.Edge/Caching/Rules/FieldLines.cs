namespace Ashlar.Edge.Caching.Rules;

/// <summary>Walks over stored field lines, <c>Name: value</c> each with its CRLF.</summary>
internal ref struct FieldLines(ReadOnlySpan<byte> lines)
{
    private ReadOnlySpan<byte> _rest = lines;

    /// <summary>The name of the present line, in the case it was sent in.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Its value.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The line with its CRLF.</summary>
    public ReadOnlySpan<byte> Line { get; private set; }

    /// <summary>Goes to the next line; false at the end.</summary>
    public bool Next()
    {
        var end = _rest.IndexOf((byte)'\n') + 1;
        if (end < 2)
        {
            return false;
        }

        Line = _rest[..end];
        _rest = _rest[end..];
        var colon = Line.IndexOf((byte)':');
        Name = Line[..Math.Max(colon, 0)];
        Value = Line[(colon + 1)..(end - 2)].Trim(" \t"u8);
        return true;
    }
}
