using System.Collections.Immutable;
using System.Globalization;

namespace Ashlar.Stack;

/// <summary>What Ashlar takes from an app.json (devcenter.heroku.com/articles/app-json-schema); its other keys are Heroku's own.</summary>
internal sealed record AppJson
{
    public ImmutableSortedDictionary<string, string> Env { get; private init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Variables that are wanted and not given, with their place.</summary>
    public ImmutableArray<KeyValuePair<string, Position>> Required { get; private init; } = [];

    /// <summary>Variables to make up once: <c>"generator": "secret"</c>.</summary>
    public ImmutableArray<string> Generated { get; private init; } = [];

    /// <summary>Instances by service.</summary>
    public ImmutableSortedDictionary<string, int> Formation { get; private init; } = ImmutableSortedDictionary<string, int>.Empty;

    public ImmutableArray<string> AddOns { get; private init; } = [];

    public static AppJson Read(SourceFile file, Report report)
    {
        var root = JsonNodes.Read(file, report);
        if (root is not MapNode map)
        {
            if (root is not null)
            {
                report.Add(StackErrors.WrongType(root.At, "app.json", "a map", root.Kind));
            }

            return new AppJson();
        }

        var app = new AppJson();
        foreach (var (name, value) in map.Entries)
        {
            app = name.Text switch
            {
                "env" => ReadEnv(app, Entries(value, "env", report), report),
                "formation" => app with { Formation = ReadFormation(Entries(value, "formation", report), report) },
                "addons" => app with { AddOns = ReadAddOns(value, report) },
                "scripts" => ReadScripts(app, Entries(value, "scripts", report), report),
                _ => app,
            };
        }

        return app;
    }

    private static AppJson ReadEnv(AppJson app, IEnumerable<KeyValuePair<ScalarNode, Node>> entries, Report report)
    {
        var env = app.Env.ToBuilder();
        var required = ImmutableArray.CreateBuilder<KeyValuePair<string, Position>>();
        var generated = ImmutableArray.CreateBuilder<string>();
        foreach (var (name, value) in entries)
        {
            if (!VariableReader.Check(name.Text, name.At, report))
            {
                continue;
            }

            switch (value)
            {
                case ScalarNode scalar:
                    env[name.Text] = scalar.IsNull ? "" : scalar.Text;
                    break;
                case MapNode map when Find(map, "value") is ScalarNode { IsNull: false } scalar:
                    env[name.Text] = scalar.Text;
                    break;
                case MapNode map when Find(map, "generator") is ScalarNode { Text: "secret" }:
                    generated.Add(name.Text);
                    break;
                case MapNode map:
                    // Heroku's default: what has no value is required unless it says otherwise.
                    if (Find(map, "required") is not ScalarNode { Text: "false" })
                    {
                        required.Add(new(name.Text, name.At));
                    }

                    break;
                default:
                    report.Add(StackErrors.WrongType(value.At, $"env.{name.Text}", "text or a map", value.Kind));
                    break;
            }
        }

        return app with { Env = env.ToImmutable(), Required = required.ToImmutable(), Generated = generated.ToImmutable() };
    }

    private static ImmutableSortedDictionary<string, int> ReadFormation(IEnumerable<KeyValuePair<ScalarNode, Node>> entries, Report report)
    {
        var formation = ImmutableSortedDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        foreach (var (name, value) in entries)
        {
            var key = $"formation.{name.Text}.quantity";
            switch (value)
            {
                case MapNode map when Find(map, "quantity") is { } quantity:
                    if (quantity is ScalarNode scalar
                        && int.TryParse(scalar.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var instances) && instances <= 1000)
                    {
                        formation[Names.IsLabel(name.Text) ? name.Text : Names.Fit(name.Text, "service")] = instances;
                    }
                    else
                    {
                        report.Add(StackErrors.BadValue(quantity.At, key, quantity.Kind, "a whole number from 0 to 1000", null));
                    }

                    break;
                case MapNode:
                    break;
                default:
                    report.Add(StackErrors.WrongType(value.At, $"formation.{name.Text}", "a map", value.Kind));
                    break;
            }
        }

        return formation.ToImmutable();
    }

    private static ImmutableArray<string> ReadAddOns(Node value, Report report)
    {
        if (value is not ListNode list)
        {
            report.Add(StackErrors.WrongType(value.At, "addons", "a list", value.Kind));
            return [];
        }

        var names = ImmutableArray.CreateBuilder<string>();
        foreach (var item in list.Items)
        {
            var plan = item is MapNode map ? Find(map, "plan") : item;
            if (plan is ScalarNode { IsNull: false } scalar)
            {
                var name = scalar.Text.Split(':')[0];
                names.Add(name);
                if (AddOnTiers.AdviceOf(name) is { } advice)
                {
                    report.Add(StackErrors.Ignored(scalar.At, $"the add-on {name}", advice));
                }
            }
            else
            {
                report.Add(StackErrors.WrongType(item.At, "addons", "a name or a map with a plan", item.Kind));
            }
        }

        return [.. names.Distinct()];
    }

    private static AppJson ReadScripts(AppJson app, IEnumerable<KeyValuePair<ScalarNode, Node>> entries, Report report)
    {
        foreach (var (name, _) in entries.Where(e => e.Key.Text == "postdeploy"))
        {
            report.Add(StackErrors.Ignored(name.At, "scripts.postdeploy", "what must run with each release goes to \"release:\""));
        }

        return app;
    }

    private static IEnumerable<KeyValuePair<ScalarNode, Node>> Entries(Node node, string key, Report report)
    {
        if (node is MapNode map)
        {
            return map.Entries;
        }

        report.Add(StackErrors.WrongType(node.At, key, "a map", node is ScalarNode ? "text" : node.Kind));
        return [];
    }

    private static Node? Find(MapNode map, string key) => map.Entries.FirstOrDefault(e => e.Key.Text == key).Value;
}
