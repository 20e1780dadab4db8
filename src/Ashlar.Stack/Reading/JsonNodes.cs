using System.Text;
using System.Text.Json;

namespace Ashlar.Stack;

/// <summary>Reads JSON into the nodes that YAML is read into, so both are answered with places.</summary>
internal sealed class JsonNodes
{
    private readonly SourceFile _file;
    private readonly Report _report;
    private readonly byte[] _bytes;
    private int _byte;
    private int _char;

    private JsonNodes(SourceFile file, Report report)
    {
        _file = file;
        _report = report;
        _bytes = Encoding.UTF8.GetBytes(file.Text);
    }

    /// <summary>The root; null when the text is no JSON, which is then in the report.</summary>
    public static Node? Read(SourceFile file, Report report)
    {
        if (file.Text.AsSpan().Trim().IsEmpty)
        {
            report.Add(StackErrors.Empty(file.Path));
            return null;
        }

        return new JsonNodes(file, report).Document();
    }

    private Node? Document()
    {
        var reader = new Utf8JsonReader(_bytes, new JsonReaderOptions { MaxDepth = YamlNodes.MaxDepth });
        try
        {
            reader.Read();
            var root = Value(ref reader);
            reader.Read();
            return root;
        }
        catch (JsonException e)
        {
            var place = new Position(_file.Path, (int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1);
            _report.Add(StackErrors.JsonSyntax(place));
        }
        catch (InvalidOperationException)
        {
            // A string with half of a surrogate pair: valid JSON that is no text.
            _report.Add(StackErrors.JsonSyntax(At(reader.TokenStartIndex)));
        }

        return null;
    }

    private Node Value(ref Utf8JsonReader reader)
    {
        var at = At(reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var map = new MapBuilder(at, _report);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var key = new ScalarNode(At(reader.TokenStartIndex), Text(ref reader), Quoted: true);
                    reader.Read();
                    map.Add(key, Value(ref reader));
                }

                return map.Build();
            case JsonTokenType.StartArray:
                var items = new List<Node>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(Value(ref reader));
                }

                return new ListNode(at, items, 1 + items.Sum(i => i.Weight));
            case JsonTokenType.String:
                return new ScalarNode(at, Text(ref reader), Quoted: true);
            default:
                return new ScalarNode(at, Encoding.UTF8.GetString(reader.ValueSpan), Quoted: false);
        }
    }

    /// <summary>A string; NUL, which no variable or command can hold, is refused as malformed.</summary>
    private static string Text(ref Utf8JsonReader reader)
    {
        var text = reader.GetString()!;
        return text.Contains('\0') ? throw new InvalidOperationException() : text;
    }

    /// <summary>Offsets only grow, so bytes are turned into characters once.</summary>
    private Position At(long offset)
    {
        _char += Encoding.UTF8.GetCharCount(_bytes, _byte, (int)offset - _byte);
        _byte = (int)offset;
        return _file.At(_char);
    }
}
