using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ashlar.Stack;

/// <summary>The JSON Schema of the stack file, from which editors complete and check it.</summary>
public static class StackSchema
{
    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The schema (JSON Schema 2020-12), indented, with a line feed at its end.</summary>
    public static string Generate()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Ashlar stack file",
            ["description"] = "ashlar.yaml: the whole production stack of a web app.",
        };
        foreach (var (name, value) in Of(StackKeys.Root).ToList())
        {
            schema[name] = value?.DeepClone();
        }

        return schema.ToJsonString(Written) + "\n";
    }

    private static JsonObject Of(Shape shape) => shape switch
    {
        TextShape { Pattern: null } => new() { ["type"] = Types("string", "number", "boolean") },
        TextShape text => Text(text.Pattern),
        IntegerShape whole => new() { ["type"] = "integer", ["minimum"] = whole.Min, ["maximum"] = whole.Max },
        BooleanShape => new() { ["type"] = "boolean" },
        NumberShape number => new() { ["type"] = "number", ["minimum"] = number.Min, ["maximum"] = number.Max },
        SizeShape => Text(Size.Pattern),
        DurationShape => Text(Duration.Pattern),
        ChoiceShape choice => new() { ["enum"] = new JsonArray([.. choice.Values.Select(v => JsonValue.Create(v))]) },
        ListenShape => OneOf(new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = 65535 }, Text(ListenText.Pattern)),
        TextsShape texts => Texts(texts),
        MapShape { Short: { } brief } map => OneOf(Of(brief), Map(map)),
        MapShape map => Map(map),
        NamedShape { Short: { } brief } named => OneOf(Of(brief), Of(named with { Short = null })),
        NamedShape named => new()
        {
            ["type"] = "object",
            ["propertyNames"] = new JsonObject { ["pattern"] = named.NamePattern },
            ["additionalProperties"] = OrNothing(named.Value),
        },
        ListShape list => new() { ["type"] = "array", ["items"] = Of(list.Item) },
        ReservedShape => new() { ["not"] = new JsonObject() },
        _ => throw new InvalidOperationException($"No schema for {shape}."),
    };

    private static JsonObject Map(MapShape map)
    {
        var properties = new JsonObject();
        foreach (var key in map.Keys)
        {
            var property = new JsonObject { ["description"] = key.IsReserved ? $"Known, not built yet: {key.Meaning}" : key.Meaning };
            foreach (var (name, value) in Of(key.Shape).ToList())
            {
                property[name] = value?.DeepClone();
            }

            if (key.Default is { } text)
            {
                property["default"] = key.Shape switch
                {
                    IntegerShape => int.Parse(text),
                    BooleanShape => bool.Parse(text),
                    _ => text,
                };
            }

            properties[key.Name] = property;
        }

        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
    }

    /// <summary>A service may be empty (its command stands in the Procfile), a variable too.</summary>
    private static JsonObject OrNothing(Shape shape)
    {
        var schema = Of(shape);
        if (schema["type"] is null)
        {
            return schema;
        }

        schema["type"] = schema["type"] is JsonArray several
            ? new JsonArray([.. several.Select(t => t!.DeepClone()), JsonValue.Create("null")])
            : Types((string)schema["type"]!, "null");
        return schema;
    }

    private static JsonObject Texts(TextsShape texts)
    {
        var list = new JsonObject { ["type"] = "array", ["items"] = Text(texts.Pattern) };
        return texts.OrOne ? OneOf(Text(texts.Pattern), list) : list;
    }

    private static JsonObject Text(string? pattern) =>
        pattern is null ? new() { ["type"] = "string" } : new() { ["type"] = "string", ["pattern"] = pattern };

    private static JsonObject OneOf(params JsonNode[] schemas) => new() { ["oneOf"] = new JsonArray(schemas) };

    private static JsonArray Types(params string[] names) => new([.. names.Select(n => JsonValue.Create(n))]);
}
