namespace Ashlar.Stack;

/// <summary>A value of a YAML or JSON file and where it stands.</summary>
internal abstract record Node(Position At)
{
    /// <summary>Nodes it would be if every alias were written out.</summary>
    public abstract int Weight { get; }

    /// <summary>What it is, in a person's words.</summary>
    public abstract string Kind { get; }
}

/// <summary>A single value.</summary>
/// <param name="At">Where it stands.</param>
/// <param name="Text">As written, without quotes.</param>
/// <param name="Quoted">True: text for certain; false: may be a number, a truth or nothing.</param>
internal sealed record ScalarNode(Position At, string Text, bool Quoted) : Node(At)
{
    public override int Weight => 1;

    public bool IsNull => !Quoted && Text is "" or "~" or "null" or "Null" or "NULL";

    public override string Kind => IsNull ? "nothing" : $"\"{(Text.Length > 60 ? Text[..57] + "..." : Text)}\"";
}

/// <summary>A list.</summary>
internal sealed record ListNode(Position At, IReadOnlyList<Node> Items, int Weight) : Node(At)
{
    public override int Weight { get; } = Weight;

    public override string Kind => "a list";
}

/// <summary>A map, in the order of the file, keys unique.</summary>
internal sealed record MapNode(Position At, IReadOnlyList<KeyValuePair<ScalarNode, Node>> Entries, int Weight) : Node(At)
{
    public override int Weight { get; } = Weight;

    public override string Kind => "a map";
}
