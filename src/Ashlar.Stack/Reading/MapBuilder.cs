namespace Ashlar.Stack;

/// <summary>Gathers a map's entries and refuses a key that is there already.</summary>
internal sealed class MapBuilder(Position at, Report report)
{
    private readonly List<KeyValuePair<ScalarNode, Node>> _entries = [];
    private readonly Dictionary<string, Position> _places = new(StringComparer.Ordinal);

    public void Add(ScalarNode key, Node value)
    {
        if (_places.TryAdd(key.Text, key.At))
        {
            _entries.Add(new(key, value));
        }
        else
        {
            report.Add(StackErrors.DuplicateKey(key.At, key.Text, _places[key.Text].Line));
        }
    }

    /// <summary>Takes what another map has and this one has not (YAML's <c>&lt;&lt;</c>).</summary>
    public void Merge(MapNode other)
    {
        foreach (var entry in other.Entries)
        {
            if (_places.TryAdd(entry.Key.Text, entry.Key.At))
            {
                _entries.Add(entry);
            }
        }
    }

    public MapNode Build() => new(at, _entries, 1 + _entries.Sum(e => 1 + e.Value.Weight));
}
