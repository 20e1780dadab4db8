using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Errors;
using Ashlar.Output;
using Ashlar.Stack;

namespace Ashlar;

/// <summary>From the words typed to the exit code: finds the verb, builds only its options, runs it, shows its errors.</summary>
internal static class CommandLine
{
    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null };

    private static readonly InvocationConfiguration Invocation = new()
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null, // Ctrl-C ends the program as it ends any other, unless a verb says otherwise
        Output = TextWriter.Null,
        Error = TextWriter.Null,
    };

    /// <summary>Runs the program's command line.</summary>
    public static async Task<int> RunAsync(Cli cli, string[] words)
    {
        var json = words.TakeWhile(word => word != "--").Contains("--json");
        try
        {
            return await DispatchAsync(cli, words, json);
        }
        catch (BrokenPipeException)
        {
            return ExitCodes.BrokenPipe;
        }
        catch (AshlarException e)
        {
            return ShowError(cli, e.Error, json, e);
        }
        catch (OutputException e)
        {
            return ShowError(cli, CliErrors.NotPossible(e.Message, "make room where the output goes, or send it elsewhere.").Error, json, e);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception e)
        {
            return ShowError(cli, CliErrors.Unexpected(e), json, e);
        }
    }

    /// <summary>Separates the verb from what surrounds it; <c>config:set</c> is <c>config set</c>, and Heroku's <c>ps:scale</c> is <c>scale</c>.</summary>
    internal static (string? Verb, string[] Others) Split(string[] words)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (words[i] is "-a" or "--stack")
            {
                i++;
            }
            else if (OtherVerbs.SameAs(words[i]) is { } verb)
            {
                return (verb, [.. words[..i], .. words[(i + 1)..]]);
            }
            else if (!words[i].StartsWith('-'))
            {
                var parts = words[i].Split(':', 2);
                return (parts[0], [.. words[..i], .. parts[1..].Where(part => part.Length > 0), .. words[(i + 1)..]]);
            }
        }

        return (null, words);
    }

    /// <summary>A command with the options that help needs.</summary>
    internal static Command Create(Cli cli, Verb verb)
    {
        var command = verb.Create(cli);
        command.Options.Add(new Option<bool>("--help", "-h") { Description = "show this", Recursive = true });
        return command;
    }

    private static async Task<int> DispatchAsync(Cli cli, string[] words, bool json)
    {
        var (name, rest) = Split(words);
        switch (name)
        {
            case null when words.Contains("--version"):
            case "version":
                cli.Out.Line(json ? Json(new VersionReport(ProgramVersion.Text), CliJson.Default.VersionReport) : $"ashlar {ProgramVersion.Text}");
                return ExitCodes.Ok;
            case null or "help" when rest.All(word => word.StartsWith('-')):
                if (rest.FirstOrDefault(word => word is not ("--help" or "-h" or "--json")) is { } odd && name is null)
                {
                    throw CliErrors.Usage("ps", $"'{odd}' stands without a verb.");
                }

                cli.Out.Write(json ? HelpOf(cli, Verbs.All) : HelpText.Root(cli.Out));
                return ExitCodes.Ok;
            case "help":
                var topic = rest.First(word => !word.StartsWith('-')).Split(':')[0];
                cli.Out.Write(json ? HelpOf(cli, [Find(topic)]) : HelpText.OfVerb(cli.Out, Find(topic), Create(cli, Find(topic))));
                return ExitCodes.Ok;
        }

        var verb = Find(name!);
        var command = Create(cli, verb);
        var parsed = command.Parse(rest, Parser);
        if (parsed.GetValue<bool>("--help"))
        {
            cli.Out.Write(json ? HelpOf(cli, [verb]) : HelpText.OfVerb(cli.Out, verb, command));
            return ExitCodes.Ok;
        }

        if (OddOption(parsed) is { } unknown) throw CliErrors.Usage(verb.Name, NoOption(parsed, unknown));
        if (parsed.Errors is [var first, ..]) throw CliErrors.Usage(verb.Name, Mistake(parsed, first));
        return await parsed.InvokeAsync(Invocation);
    }

    private static string HelpOf(Cli cli, IEnumerable<Verb> verbs) =>
        Json(new HelpReport([.. verbs.Select(verb => HelpText.Report(verb, Create(cli, verb)))]), CliJson.Default.HelpReport) + "\n";

    private static string Json<T>(T report, JsonTypeInfo<T> type) => JsonSerializer.Serialize(report, type);

    private static Verb Find(string name) => Verbs.Find(name)
        ?? throw CliErrors.UnknownVerb(
            name, OtherVerbs.Instead(name), NearestName.Of(name, [.. Verbs.All.Select(verb => verb.Name), "help"]));

    // An unknown option would pass as an argument where any number of them is taken.
    private static string? OddOption(ParseResult parsed) => parsed.CommandResult.Children.OfType<ArgumentResult>()
        .Where(result => !result.Argument.CaptureRemainingTokens)
        .SelectMany(result => result.Tokens).Select(token => token.Value).Concat(parsed.UnmatchedTokens)
        .FirstOrDefault(value => value.StartsWith('-') && value.Length > 1);

    private static string NoOption(ParseResult parsed, string unknown)
    {
        var options = parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options);
        return NearestName.Of(unknown, options.Select(option => option.Name)) is { } nearest
            ? $"there is no option '{unknown}'; did you mean {nearest}?"
            : $"there is no option '{unknown}'.";
    }

    private static string Mistake(ParseResult parsed, ParseError error) =>
        parsed.UnmatchedTokens is [var extra, ..] ? OneTooMany(parsed.CommandResult.Command, extra)
        : parsed.CommandResult.Command.Arguments.FirstOrDefault(argument =>
            argument.Arity.MinimumNumberOfValues > (parsed.GetResult(argument)?.Tokens.Count ?? 0)) is { } missing ? $"{missing.Name} is missing."
        : error.Message;

    private static string OneTooMany(Command command, string word)
    {
        if (command.Subcommands.Count == 0) return $"'{word}' is one word too many.";
        var seconds = command.Subcommands.Select(second => second.Name).ToList();
        return $"there is no '{command.Name} {word}'; "
            + (NearestName.Of(word, seconds) is { } nearest ? $"did you mean {command.Name} {nearest}?" : $"there are {string.Join(", ", seconds)}.");
    }

    private static int ShowError(Cli cli, AshlarError error, bool json, Exception exception)
    {
        try
        {
            var exitCode = ErrorText.Write(cli.Error, error, json);
            if (cli.Environment("ASHLAR_TRACE") is { Length: > 0 }) cli.Error.Line(exception.ToString());
            return exitCode;
        }
        catch (IOException)
        {
            return ExitCodes.Of(error); // nobody reads standard error
        }
    }
}
