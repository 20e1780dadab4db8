using System.Collections.Immutable;
using System.CommandLine;
using System.Text;

namespace Ashlar.Output;

/// <summary>The help pages.</summary>
internal static class HelpText
{
    private const int RootColumn = 16;

    /// <summary>The verbs by group.</summary>
    public static string Root(Screen screen)
    {
        var text = new StringBuilder("ashlar: the whole production stack of a web app, from one file\n\nusage: ashlar VERB [ARGUMENT…] [OPTION…]\n");
        foreach (var group in Verbs.All.GroupBy(verb => verb.Group))
        {
            Section(text, screen, group.Key.ToString(), group.Select(verb => (verb.Name.PadRight(RootColumn), verb.Summary)));
        }

        Section(text, screen, "Options of every verb",
        [
            ("-a, --stack PATH", "folder or file of the stack; default: here or the nearest folder above that holds one"),
            ("--json", "write results and errors as JSON"),
            ("-h, --help", "say more about the verb"),
        ]);
        return text.Append("\nBegin with: ").Append(screen.Paint("ashlar up", Ink.Strong))
            .Append("   in a source checkout: ").Append(screen.Paint("./ashlar up examples/storefront", Ink.Strong))
            .Append("\nMore: ashlar help VERB\n").ToString();
    }

    /// <summary>One verb with its arguments, options and examples.</summary>
    /// <param name="screen">Where it is shown.</param>
    /// <param name="verb">The verb.</param>
    /// <param name="command">Its command.</param>
    /// <param name="common">False: the options of every verb are left out.</param>
    public static string OfVerb(Screen screen, Verb verb, Command command, bool common = true)
    {
        var text = new StringBuilder($"{verb.Summary}\n\nusage: {Usage(verb.Name, command)}\n");
        foreach (var second in command.Subcommands) text.Append("       ").Append(UsageOf(verb, second)).Append('\n');
        Section(text, screen, "Arguments", Arguments(command));
        Section(text, screen, "Second words", command.Subcommands.Select(second => (second.Name, second.Description ?? "")));
        Section(text, screen, "Options", command.Subcommands.SelectMany(second => second.Options).Concat(command.Options)
            .Where(option => common || !option.Recursive).Select(option => (Names(option), option.Description ?? "")).Distinct());
        text.Append('\n').Append(screen.Paint("Examples", Ink.Strong)).Append('\n');
        foreach (var example in verb.Examples) text.Append("  ").Append(example).Append('\n');
        return text.ToString();
    }

    /// <summary>One verb for <c>help --json</c>.</summary>
    public static VerbReport Report(Verb verb, Command command) => new(
        verb.Name, verb.Group.ToString(), verb.Summary,
        [Usage(verb.Name, command), .. command.Subcommands.Select(second => UsageOf(verb, second))],
        command.Subcommands.SelectMany(second => second.Options).Concat(command.Options).DistinctBy(option => option.Name)
            .ToImmutableSortedDictionary(Names, option => option.Description ?? "", StringComparer.Ordinal),
        [.. verb.Examples]);

    // Arguments of two second words that share a name and mean different things say which is whose.
    private static IEnumerable<(string Name, string Description)> Arguments(Command command)
    {
        var all = command.Subcommands.Prepend(command)
            .SelectMany(of => of.Arguments.Select(argument => (Of: of.Name, argument.Name, Description: argument.Description ?? ""))).ToList();
        return all.Select(one => (
            all.Any(other => other.Name == one.Name && other.Description != one.Description) ? $"{one.Name} ({one.Of})" : one.Name, one.Description)).Distinct();
    }

    // Options of a second word stand in its own line: those of the others are none of its.
    private static string UsageOf(Verb verb, Command second) => string.Concat(
        second.Options.Where(option => !option.Recursive).Select(option => $" [{option.Name}{(option.HelpName is { } value ? $" {value}" : "")}]")
            .Prepend(Usage($"{verb.Name} {second.Name}", second)));

    private static string Usage(string name, Command command)
    {
        var arguments = command.Arguments.Select(argument => argument.Arity switch
        {
            { MinimumNumberOfValues: 0, MaximumNumberOfValues: 1 } => $"[{argument.Name}]",
            { MinimumNumberOfValues: 0 } => $"[{argument.Name}…]",
            { MaximumNumberOfValues: > 1 } => $"{argument.Name}…",
            _ => argument.Name,
        });
        return string.Join(' ', arguments.Prepend(name).Prepend("ashlar"));
    }

    private static string Names(Option option)
    {
        var names = string.Join(", ", option.Aliases.Append(option.Name).OrderBy(name => name.Length));
        return option.HelpName is { } value ? $"{names} {value}" : names;
    }

    private static void Section(StringBuilder text, Screen screen, string title, IEnumerable<(string Left, string Right)> rows)
    {
        var all = rows.ToList();
        if (all.Count == 0) return;
        text.Append('\n').Append(screen.Paint(title, Ink.Strong)).Append('\n');
        var width = all.Max(row => row.Left.Length);
        foreach (var (left, right) in all) text.Append("  ").Append(left.PadRight(width)).Append("  ").Append(right).Append('\n');
    }
}
