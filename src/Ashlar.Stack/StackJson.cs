using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Ashlar.Stack;

/// <summary>A stack as JSON, as a release keeps it. It holds the values of variables: store it as a secret.</summary>
public static class StackJson
{
    private static readonly StackJsonContext Context = StackJsonContext.Default;

    /// <summary>All of the stack.</summary>
    public static string Serialize(StackDefinition stack) => JsonSerializer.Serialize(stack, Context.StackDefinition);

    /// <summary>
    /// The stack that was serialized, by this version or another: a property that an older version did not know has its
    /// default, one that only a newer version knows is left out.
    /// </summary>
    /// <exception cref="JsonException">The text is not a stack's JSON.</exception>
    public static StackDefinition Deserialize(string json)
    {
        var stack = JsonNode.Parse(json) as JsonObject ?? throw new JsonException("A stack's JSON is an object.");
        Fill(stack, Defaults(new StackDefinition { Name = "", Directory = "" }, Context.StackDefinition));
        var service = Defaults(new ServiceDefinition { Name = "", Run = "" }, Context.ServiceDefinition);
        foreach (var item in (stack["services"] as JsonArray ?? []).OfType<JsonObject>())
        {
            Fill(item, service);
        }

        return stack.Deserialize(Context.StackDefinition) ?? throw new JsonException("A stack's JSON is an object.");
    }

    // Source-generated deserialization gives an absent init-only property its type's default, not the one its record states.
    private static void Fill(JsonObject target, JsonObject defaults)
    {
        foreach (var (name, value) in defaults)
        {
            if (!target.TryGetPropertyValue(name, out var present))
            {
                target[name] = value?.DeepClone();
            }
            else if (present is JsonObject inner && value is JsonObject innerDefaults)
            {
                Fill(inner, innerDefaults);
            }
        }
    }

    private static JsonObject Defaults<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        var defaults = JsonSerializer.SerializeToNode(value, type)!.AsObject();
        foreach (var required in (string[])["name", "directory", "run"])
        {
            defaults.Remove(required);
        }

        return defaults;
    }
}

[JsonSerializable(typeof(StackDefinition))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, RespectNullableAnnotations = true)]
internal sealed partial class StackJsonContext : JsonSerializerContext;
