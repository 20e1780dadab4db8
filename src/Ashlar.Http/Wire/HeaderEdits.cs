using System.Text;

namespace Ashlar.Http.Wire;

/// <summary>Fields of an answer that are set, whatever the app says, or taken out. Made once and used for many answers.</summary>
public sealed class HeaderEdits
{
    private readonly KeyValuePair<string, string>[] _fields;
    private readonly byte[][] _names;

    /// <summary>Makes them.</summary>
    /// <param name="fields">Values by name; an empty one takes the field out. Valid names and values, none that frames the message.</param>
    public HeaderEdits(IEnumerable<KeyValuePair<string, string>> fields)
    {
        _fields = [.. fields];
        _names = [.. _fields.Select(field => Encoding.ASCII.GetBytes(field.Key))];
        Lines = Encoding.ASCII.GetBytes(string.Concat(_fields.Where(field => field.Value.Length > 0).Select(field => $"{field.Key}: {field.Value}\r\n")));
    }

    /// <summary>The lines that are added, each with its CRLF.</summary>
    public ReadOnlyMemory<byte> Lines { get; }

    /// <summary>These and others, which prevail.</summary>
    public HeaderEdits With(HeaderEdits others) =>
        new(_fields.Where(field => !others._fields.Any(other => string.Equals(other.Key, field.Key, StringComparison.OrdinalIgnoreCase))).Concat(others._fields));

    /// <summary>True: the app's own field of this name is left out.</summary>
    public bool Replaces(ReadOnlySpan<byte> name)
    {
        foreach (var own in _names)
        {
            if (own.Length == name.Length && Ascii.EqualsIgnoreCase(own, name))
            {
                return true;
            }
        }

        return false;
    }
}
