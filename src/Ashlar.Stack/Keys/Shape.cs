namespace Ashlar.Stack;

/// <summary>What a key's value looks like. The reader checks against it and the schema is written from it.</summary>
internal abstract record Shape;

/// <summary>Text, with the pattern a schema can check.</summary>
internal sealed record TextShape(string? Pattern = null) : Shape;

/// <summary>A whole number.</summary>
internal sealed record IntegerShape(int Min, int Max) : Shape;

/// <summary>True or false.</summary>
internal sealed record BooleanShape : Shape;

/// <summary>A number.</summary>
internal sealed record NumberShape(double Min, double Max) : Shape;

/// <summary>A size with its unit, in bytes.</summary>
internal sealed record SizeShape(long Min, long Max) : Shape;

/// <summary>A duration with its unit.</summary>
internal sealed record DurationShape(TimeSpan Min, TimeSpan Max) : Shape;

/// <summary>One of some words; <paramref name="Reserved"/> ones are known and not built yet.</summary>
internal sealed record ChoiceShape(string[] Values, params string[] Reserved) : Shape;

/// <summary>A port or <c>address:port</c>.</summary>
internal sealed record ListenShape : Shape;

/// <summary>A list of texts; <paramref name="OrOne"/> allows a single text in its place.</summary>
internal sealed record TextsShape(string Pattern, bool OrOne = false) : Shape;

/// <summary>A map with known keys; <paramref name="Short"/> is what may stand in its place.</summary>
internal sealed record MapShape(IReadOnlyList<StackKey> Keys, Shape? Short = null) : Shape
{
    public StackKey? Find(string name) => Keys.FirstOrDefault(k => k.Name == name);
}

/// <summary>A map from names people choose to values of one shape; <paramref name="Short"/> is what may stand in its place.</summary>
internal sealed record NamedShape(string NamePattern, Shape Value, Shape? Short = null) : Shape;

/// <summary>A list of values of one shape.</summary>
internal sealed record ListShape(Shape Item) : Shape;

/// <summary>Anything: the key is known and not built yet.</summary>
internal sealed record ReservedShape : Shape;

/// <summary>A key of the stack file.</summary>
/// <param name="Name">As written.</param>
/// <param name="Shape">What its value looks like.</param>
/// <param name="Meaning">One or two sentences for editors and the schema.</param>
/// <param name="Default">The default as it would be written; null when there is none or it follows from other keys.</param>
internal sealed record StackKey(string Name, Shape Shape, string Meaning, string? Default = null)
{
    public bool IsReserved => Shape is ReservedShape;
}
