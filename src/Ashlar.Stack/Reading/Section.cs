using System.Globalization;

namespace Ashlar.Stack;

/// <summary>
/// A map of the stack file with the keys that may stand in it. Unknown and reserved keys are reported when it is opened;
/// each getter returns null for an absent key and for one whose value is wrong, which is then in the report.
/// </summary>
internal sealed class Section
{
    private readonly MapShape _shape;
    private readonly string _path;
    private readonly Report _report;
    private readonly Dictionary<string, KeyValuePair<ScalarNode, Node>> _entries = new(StringComparer.Ordinal);

    /// <param name="map">What was written.</param>
    /// <param name="shape">What may be.</param>
    /// <param name="path">Its own name in messages, <c>services.web</c>; empty for the root.</param>
    /// <param name="report">Where mistakes go.</param>
    public Section(MapNode map, MapShape shape, string path, Report report)
    {
        (_shape, _path, _report, At) = (shape, path, report, map.At);
        foreach (var (name, value) in map.Entries)
        {
            switch (shape.Find(name.Text))
            {
                case null when report.IsFull:
                    return;
                case null:
                    report.Add(UnknownKey(name));
                    break;
                case { IsReserved: true } key:
                    report.Add(StackErrors.NotBuiltYet(name.At, $"\"{Full(key.Name)}\"", "remove the key"));
                    break;
                default:
                    _entries.Add(name.Text, new(name, value));
                    break;
            }
        }
    }

    public Position At { get; }

    /// <summary>The key's name with the path to it, as messages say it.</summary>
    public string Full(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    /// <summary>Where the key's value stands; the section's own place when it is absent.</summary>
    public Position Place(string key) => _entries.TryGetValue(key, out var entry) ? entry.Value.At : At;

    public bool Has(string key) => Node(key) is not null;

    /// <summary>The value, unless it is absent or nothing.</summary>
    public Node? Node(string key)
    {
        if (_shape.Find(key) is null)
        {
            throw new ArgumentException($"The table of keys has no {Full(key)}.", nameof(key));
        }

        return _entries.TryGetValue(key, out var entry) && entry.Value is not ScalarNode { IsNull: true } ? entry.Value : null;
    }

    public string? Text(string key, Func<string, bool>? valid = null, string expected = "text")
    {
        if (Scalar(key, expected) is not { } scalar)
        {
            return null;
        }

        if (scalar.Text.AsSpan().Trim().IsEmpty || valid?.Invoke(scalar.Text) == false)
        {
            _report.Add(StackErrors.BadValue(scalar.At, Full(key), scalar.Kind, expected, null));
            return null;
        }

        return scalar.Text;
    }

    public int? Integer(string key)
    {
        var shape = (IntegerShape)Shape(key);
        var expected = $"a whole number from {shape.Min} to {shape.Max}";
        if (Scalar(key, expected) is not { } scalar)
        {
            return null;
        }

        var isNumber = int.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
        return isNumber && number >= shape.Min && number <= shape.Max ? number : Bad<int>(key, scalar, expected);
    }

    public bool? Boolean(string key)
    {
        const string expected = "true or false";
        _ = (BooleanShape)Shape(key);
        return Scalar(key, expected) is not { } scalar ? null
            : scalar.Text is "true" or "false" ? scalar.Text == "true"
            : Bad<bool>(key, scalar, expected);
    }

    public double? Number(string key)
    {
        var shape = (NumberShape)Shape(key);
        var expected = string.Create(CultureInfo.InvariantCulture, $"a number from {shape.Min} to {shape.Max}");
        if (Scalar(key, expected) is not { } scalar)
        {
            return null;
        }

        var isNumber = double.TryParse(scalar.Text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number);
        return isNumber && number >= shape.Min && number <= shape.Max ? number : Bad<double>(key, scalar, expected);
    }

    public long? Bytes(string key) => Bytes(key, (SizeShape)Shape(key));

    /// <summary>The size that stands in place of a map.</summary>
    public long? ShortBytes(string key) => Bytes(key, (SizeShape)((MapShape)Shape(key)).Short!);

    private long? Bytes(string key, SizeShape shape)
    {
        if (Scalar(key, "a size such as 512MiB or 1GB") is not { } scalar)
        {
            return null;
        }

        if (!Size.TryParse(scalar.Text, out var bytes, out var suggestion))
        {
            _report.Add(StackErrors.BadSize(scalar.At, Full(key), scalar.Kind, suggestion));
            return null;
        }

        var fits = bytes >= shape.Min && bytes <= shape.Max;
        return fits ? bytes : Bad<long>(key, scalar, $"a size from {Size.Format(shape.Min)} to {Size.Format(shape.Max)}");
    }

    public TimeSpan? Time(string key)
    {
        var shape = (DurationShape)Shape(key);
        if (Scalar(key, "a duration such as 500ms or 30s") is not { } scalar)
        {
            return null;
        }

        if (!Duration.TryParse(scalar.Text, out var time, out var suggestion))
        {
            _report.Add(StackErrors.BadDuration(scalar.At, Full(key), scalar.Kind, suggestion));
            return null;
        }

        var fits = time >= shape.Min && time <= shape.Max;
        return fits ? time : Bad<TimeSpan>(key, scalar, $"a duration from {Duration.Format(shape.Min)} to {Duration.Format(shape.Max)}");
    }

    public string? Choice(string key)
    {
        var shape = (ChoiceShape)Shape(key);
        var expected = shape.Values.Length == 1 ? shape.Values[0] : string.Join(" or ", shape.Values);
        if (Scalar(key, expected) is not { } scalar)
        {
            return null;
        }

        if (shape.Values.Contains(scalar.Text))
        {
            return scalar.Text;
        }

        _report.Add(shape.Reserved.Contains(scalar.Text)
            ? StackErrors.NotBuiltYet(scalar.At, $"{Full(key)}: {scalar.Text}", $"write {expected}")
            : StackErrors.BadValue(scalar.At, Full(key), scalar.Kind, expected, NearestName.Of(scalar.Text, shape.Values)));
        return null;
    }

    /// <summary>The texts of a list, or of the single text that may stand in its place; null when the key is absent.</summary>
    public IReadOnlyList<ScalarNode>? Texts(string key)
    {
        var orOne = ((TextsShape)Shape(key)).OrOne;
        var expected = orOne ? "text or a list of texts" : "a list of texts";
        switch (Node(key))
        {
            case null:
                return null;
            case ScalarNode one when orOne:
                return [one];
            case ListNode list:
                foreach (var item in list.Items.Where(i => i is not ScalarNode { IsNull: false }))
                {
                    _report.Add(StackErrors.WrongType(item.At, Full(key), "text", item.Kind));
                }

                return [.. list.Items.OfType<ScalarNode>().Where(i => !i.IsNull)];
            case var other:
                _report.Add(StackErrors.WrongType(other.At, Full(key), expected, other.Kind));
                return null;
        }
    }

    /// <summary>The map under a key.</summary>
    public Section? Map(string key)
    {
        var node = Node(key);
        if (node is MapNode map)
        {
            return new Section(map, (MapShape)Shape(key), Full(key), _report);
        }

        if (node is not null)
        {
            _report.Add(StackErrors.WrongType(node.At, Full(key), "a map", node.Kind));
        }

        return null;
    }

    /// <summary>The map under a key; an empty one when the key is there with nothing behind it.</summary>
    public Section? Asked(string key) =>
        _entries.TryGetValue(key, out var entry) && entry.Value is ScalarNode { IsNull: true }
            ? new Section(new MapNode(entry.Value.At, [], 1), (MapShape)Shape(key), Full(key), _report)
            : Map(key);

    /// <summary>The entries of a map whose names people choose.</summary>
    public IReadOnlyList<KeyValuePair<ScalarNode, Node>>? Named(string key)
    {
        var node = Node(key);
        if (node is MapNode map)
        {
            return map.Entries;
        }

        if (node is not null)
        {
            // The value may be a secret that stands in the wrong place: its kind is said, never itself.
            _report.Add(StackErrors.WrongType(node.At, Full(key), "a map", node is ScalarNode ? "text" : node.Kind));
        }

        return null;
    }

    /// <summary>The maps whose names people choose; a single text in the place of one is the value of <paramref name="brief"/>.</summary>
    public IEnumerable<(ScalarNode Name, Section Map)> NamedMaps(string key, string brief)
    {
        var shape = (MapShape)((NamedShape)Shape(key)).Value;
        foreach (var (name, value) in Named(key) ?? [])
        {
            var map = value as MapNode ?? (value is ScalarNode { IsNull: false } text
                ? new MapNode(text.At, [new(new ScalarNode(text.At, brief, Quoted: false), text)], 1)
                : null);
            if (map is null)
            {
                _report.Add(StackErrors.WrongType(value.At, $"{Full(key)}.{name.Text}", "text or a map", value.Kind));
            }
            else
            {
                yield return (name, new Section(map, shape, $"{Full(key)}.{name.Text}", _report));
            }
        }
    }

    /// <summary>The maps of a list.</summary>
    public IEnumerable<Section> Maps(string key)
    {
        var shape = (MapShape)((ListShape)Shape(key)).Item;
        var node = Node(key);
        if (node is not (null or ListNode))
        {
            _report.Add(StackErrors.WrongType(node.At, Full(key), "a list of maps", node.Kind));
        }

        foreach (var item in (node as ListNode)?.Items ?? [])
        {
            if (item is MapNode map)
            {
                yield return new Section(map, shape, Full(key), _report);
            }
            else
            {
                _report.Add(StackErrors.WrongType(item.At, Full(key), "a list of maps", item.Kind));
            }
        }
    }

    private ScalarNode? Scalar(string key, string expected)
    {
        var node = Node(key);
        if (node is not null and not ScalarNode)
        {
            _report.Add(StackErrors.WrongType(node.At, Full(key), expected, node.Kind));
        }

        return node as ScalarNode;
    }

    private Shape Shape(string key) => _shape.Find(key)!.Shape;

    private T? Bad<T>(string key, ScalarNode scalar, string expected)
        where T : struct
    {
        _report.Add(StackErrors.BadValue(scalar.At, Full(key), scalar.Kind, expected, null));
        return null;
    }

    private Diagnostic UnknownKey(ScalarNode name)
    {
        var known = _shape.Keys.Where(k => !k.IsReserved).Select(k => k.Name).ToArray();
        var near = OtherNames.Of(name.Text, known)
            ?? NearestName.Of(name.Text, known)
            ?? NearestName.Of(name.Text, _shape.Keys.Select(k => k.Name));
        var advice = near is not null ? $"did you mean \"{near}\"?"
            : StackKeys.HomeOf(name.Text) is { } home ? $"it belongs under {home}"
            : $"known here are {string.Join(", ", known)}";
        return StackErrors.UnknownKey(name.At, Full(name.Kind.Trim('"')), advice);
    }
}
