using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Ashlar.Stack;

/// <summary>
/// Reads YAML into nodes. One document; scalars stay text; anchors, aliases and <c>&lt;&lt;</c> are understood within limits
/// that no honest file meets, so a file of a few lines cannot become a gigabyte.
/// </summary>
internal sealed class YamlNodes
{
    /// <summary>Levels of nesting; the stack file needs seven.</summary>
    internal const int MaxDepth = 32;

    /// <summary>Nodes, with each alias counted as often as it is used.</summary>
    internal const int MaxNodes = 100_000;

    private readonly SourceFile _file;
    private readonly Report _report;
    private readonly Parser _parser;
    private readonly Dictionary<string, Node?> _anchors = new(StringComparer.Ordinal);
    private int _nodes;

    private YamlNodes(SourceFile file, Report report)
    {
        _file = file;
        _report = report;
        _parser = new Parser(new Scanner(new StringReader(file.Text)));
    }

    /// <summary>The document's root; null when there is none, which is then in the report.</summary>
    public static Node? Read(SourceFile file, Report report) => new YamlNodes(file, report).Document();

    private Node? Document()
    {
        try
        {
            Next<StreamStart>();
            if (Advance<StreamEnd>())
            {
                _report.Add(StackErrors.Empty(_file.Path));
                return null;
            }

            Next<DocumentStart>();
            _parser.MoveNext();
            var root = Value(1);
            Next<DocumentEnd>();
            if (!Advance<StreamEnd>())
            {
                throw new Refused(StackErrors.YamlSyntax(At(_parser.Current!.Start), "a second document begins here", "keep one document in the file"));
            }

            if (root is ScalarNode { IsNull: true })
            {
                _report.Add(StackErrors.Empty(_file.Path));
                return null;
            }

            return root;
        }
        catch (Refused refused)
        {
            _report.Add(refused.Diagnostic);
        }
        catch (YamlException e)
        {
            _report.Add(Explain(e));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            // YamlDotNet's scanner throws these for some malformed files instead of its own exception.
            var end = _parser.Current is { } current ? At(current.End) : new Position(_file.Path, 1, 1);
            _report.Add(StackErrors.YamlSyntax(end, "what follows is not YAML", "look for a bracket or quote that is not closed"));
        }

        return null;
    }

    /// <summary>Goes to the next event and says whether it is a <typeparamref name="T"/>.</summary>
    private bool Advance<T>()
        where T : ParsingEvent => _parser.MoveNext() && _parser.Current is T;

    private void Next<T>()
        where T : ParsingEvent
    {
        if (_parser.Current is not T && !Advance<T>())
        {
            throw new InvalidOperationException();
        }
    }

    /// <summary>The value that begins at the current event; leaves the parser on its last event.</summary>
    private Node Value(int depth)
    {
        var current = _parser.Current ?? throw new InvalidOperationException();
        var at = At(current.Start);
        if (depth > MaxDepth)
        {
            throw new Refused(StackErrors.TooDeep(at, MaxDepth));
        }

        Count(1, at);
        if (current is AnchorAlias alias)
        {
            return Resolve(alias, at);
        }

        var anchor = current is NodeEvent { Anchor.IsEmpty: false } node ? node.Anchor.Value : null;
        if (anchor is not null)
        {
            _anchors[anchor] = null;
        }

        CheckTag(current, at);
        Node value = current switch
        {
            Scalar scalar => new ScalarNode(at, Text(scalar, at), scalar.Style != ScalarStyle.Plain || scalar.Tag is { IsEmpty: false, Value: "tag:yaml.org,2002:str" }),
            SequenceStart => List(at, depth),
            MappingStart map => Map(at, map, depth),
            _ => throw new InvalidOperationException(),
        };
        if (anchor is not null)
        {
            _anchors[anchor] = value;
        }

        return value;
    }

    private static string Text(Scalar scalar, Position at) =>
        scalar.Value.Contains('\0') ? throw new Refused(StackErrors.NulByte(at)) : scalar.Value;

    private ListNode List(Position at, int depth)
    {
        var items = new List<Node>();
        while (!Advance<SequenceEnd>())
        {
            items.Add(Value(depth + 1));
        }

        return new ListNode(at, items, 1 + items.Sum(i => i.Weight));
    }

    private MapNode Map(Position at, MappingStart start, int depth)
    {
        if (start.Style == MappingStyle.Block)
        {
            RefuseTab((int)start.Start.Line);
        }

        var map = new MapBuilder(at, _report);
        var merged = new List<MapNode>();
        while (!Advance<MappingEnd>())
        {
            var key = Value(depth + 1);
            if (key is not ScalarNode name)
            {
                throw new Refused(StackErrors.WrongType(key.At, "a key", "a name", key.Kind));
            }

            if (!_parser.MoveNext())
            {
                throw new InvalidOperationException();
            }

            var value = Value(depth + 1);
            if (name is { Text: "<<", Quoted: false })
            {
                merged.AddRange(Merged(value));
            }
            else
            {
                map.Add(name, value);
            }
        }

        foreach (var other in merged)
        {
            Count(other.Weight, at);
            map.Merge(other);
        }

        return map.Build();
    }

    private static IEnumerable<MapNode> Merged(Node value)
    {
        var maps = value is ListNode list ? list.Items : [value];
        return maps.Select(m => m as MapNode ?? throw new Refused(StackErrors.WrongType(m.At, "<<", "a map", m.Kind)));
    }

    private Node Resolve(AnchorAlias alias, Position at)
    {
        var name = alias.Value.Value;
        if (!_anchors.TryGetValue(name, out var target))
        {
            throw new Refused(StackErrors.UnknownAnchor(at, name, NearestName.Of(name, _anchors.Keys)));
        }

        if (target is null)
        {
            throw new Refused(StackErrors.AnchorWithinItself(at, name));
        }

        Count(target.Weight, at);
        return target;
    }

    private void Count(int nodes, Position at)
    {
        _nodes += nodes;
        if (_nodes > MaxNodes)
        {
            throw new Refused(StackErrors.TooManyNodes(at, MaxNodes));
        }
    }

    private static void CheckTag(ParsingEvent current, Position at)
    {
        if (current is NodeEvent { Tag.IsEmpty: false, Tag.IsNonSpecific: false } node
            && !node.Tag.Value.StartsWith("tag:yaml.org,2002:", StringComparison.Ordinal))
        {
            throw new Refused(StackErrors.YamlSyntax(at, $"the tag {node.Tag.Value} has no meaning in a stack file", "remove it"));
        }
    }

    private Diagnostic Explain(YamlException e)
    {
        // The exception may name the begin of the whole map; what was read last is nearer to the mistake.
        var place = Later(At(e.End), At(_parser.Current?.End ?? Mark.Empty));
        for (var line = place.Line; line <= place.Line + 1; line++)
        {
            if (TabAt(line) is { } column)
            {
                return StackErrors.Tab(new Position(_file.Path, line, column));
            }
        }

        var message = e.Message.TrimEnd('.');
        return StackErrors.YamlSyntax(place, char.ToLowerInvariant(message[0]) + message[1..], null);
    }

    private static Position Later(Position a, Position b) => (a.Line, a.Column).CompareTo((b.Line, b.Column)) >= 0 ? a : b;

    private void RefuseTab(int line)
    {
        if (TabAt(line) is { } column)
        {
            throw new Refused(StackErrors.Tab(new Position(_file.Path, line, column)));
        }
    }

    /// <summary>Column of a tab among the blanks a line begins with.</summary>
    private int? TabAt(int number)
    {
        var line = _file.Line(number);
        var blanks = line[..^line.TrimStart(" \t").Length];
        var tab = blanks.IndexOf('\t');
        return tab < 0 ? null : tab + 1;
    }

    private Position At(Mark mark) => new(_file.Path, (int)mark.Line, (int)mark.Column);

    private sealed class Refused(Diagnostic diagnostic) : Exception
    {
        public Diagnostic Diagnostic { get; } = diagnostic;
    }
}
