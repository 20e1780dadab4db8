using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar config</c>, <c>config get</c>, <c>config set</c>, <c>config unset</c>.</summary>
internal static partial class ConfigCommand
{
    public static Verb Verb { get; } = new("config", VerbGroup.Settings, "List, get, set and unset config vars; a change makes a release", Create,
        "ashlar config", "ashlar config get SECRET_KEY", "ashlar config set LOG_LEVEL=debug GREETING=hello",
        "ashlar config set SECRET_KEY=- < secret.txt", "ashlar config unset GREETING", "ashlar config:set LOG_LEVEL=info");

    private static Command Create(Cli cli)
    {
        var key = new Argument<string>("KEY") { Description = "name of a config var" };
        var pairs = new Argument<string[]>("KEY=VALUE")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "KEY=- reads the value from standard input, so that secrets stand in no command line",
        };
        var keys = new Argument<string[]>("KEY") { Arity = ArgumentArity.OneOrMore, Description = "name of a config var" };
        return VerbCall.Command(cli, Verb,
        [
            VerbCall.Command(cli, "get", "print one value", [key], (call, cancellation) => GetAsync(call, call.Value(key)!, cancellation)),
            VerbCall.Command(cli, "set", "set some", [pairs], (call, cancellation) => ChangeAsync(call, Parse(cli, call.Value(pairs)!), cancellation)),
            VerbCall.Command(cli, "unset", "remove some", [keys], (call, cancellation) =>
                ChangeAsync(call, call.Value(keys)!.Select(k => KeyValuePair.Create(CheckKey(k), (string?)null)), cancellation)),
        ], ListAsync);
    }

    private static async Task<int> ListAsync(VerbCall call, CancellationToken cancellation)
    {
        call.Print(await SendAsync(call, [], cancellation), CliJson.Agent.ConfigResult, Render);
        return ExitCodes.Ok;
    }

    private static async Task<int> GetAsync(VerbCall call, string key, CancellationToken cancellation)
    {
        var result = await SendAsync(call, [], cancellation);
        if (!result.Vars.TryGetValue(key, out var value)) throw CliErrors.VariableNotSet(key);
        call.Print(result with { Vars = ImmutableSortedDictionary<string, string>.Empty.Add(key, value) },
            CliJson.Agent.ConfigResult, (_, _) => value + "\n");
        return ExitCodes.Ok;
    }

    private static async Task<int> ChangeAsync(VerbCall call, IEnumerable<KeyValuePair<string, string?>> changes, CancellationToken cancellation)
    {
        var wanted = changes.ToList();
        var result = await SendAsync(call, wanted, cancellation);
        if (!call.Json)
        {
            foreach (var warning in result.Warnings) call.Cli.Error.Write(ErrorText.Warning(call.Cli.Error, warning));
        }

        call.Print(result, CliJson.Agent.ConfigResult, (_, _) =>
            result.Release is { } release
                ? $"{Say(wanted)}; {release} runs\n"
                : result.Kept ? $"{Say(wanted)}; the next ashlar up runs with it\n"
                : $"{(wanted.TrueForAll(change => change.Value is null) ? $"{string.Join(", ", wanted.Select(change => change.Key))} was not set" : "it was so already")}; nothing has changed\n");
        return ExitCodes.Ok;
    }

    private static async Task<ConfigResult> SendAsync(VerbCall call, IEnumerable<KeyValuePair<string, string?>> changes, CancellationToken cancellation) =>
        await SendAsync(call, new ConfigArguments(changes.ToImmutableSortedDictionary(StringComparer.Ordinal)), cancellation);

    /// <summary>The config vars as they stand, whether or not the stack runs.</summary>
    internal static Task<ConfigResult> ReadAsync(VerbCall call, CancellationToken cancellation) => SendAsync(call, [], cancellation);

    private static Task<ConfigResult> SendAsync(VerbCall call, ConfigArguments arguments, CancellationToken cancellation) => call.RunningOrNotAsync(
        async agent =>
        {
            using var progress = new Progress(call.Cli.Error, call.Cli.Time, "config", silent: call.Json);
            return await agent.AskAsync(AgentVerbs.Config, arguments, AgentJson.Default.ConfigArguments, AgentJson.Default.ConfigResult, progress.Step, cancellation)
                ?? throw AgentErrors.ConnectionLost(AgentVerbs.Config);
        },
        // What is set is for the next up, so there must be something to bring up.
        stack => arguments.Changes.IsEmpty || StackLocation.HoldsFile(call.StackFolder)
            ? stack.ConfigAsync(call.StackFolder, arguments)
            : throw CliErrors.NoStack(call.StackFolder),
        arguments.Changes.IsEmpty ? new ConfigResult(ImmutableSortedDictionary<string, string>.Empty, null) : null,
        cancellation);

    private static string Say(IEnumerable<KeyValuePair<string, string?>> changes) =>
        string.Join(", ", changes.Select(pair => $"{pair.Key} {(pair.Value is null ? "unset" : "set")}"));

    private static string Render(Screen screen, ConfigResult result)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in result.Vars) text.Append(screen.Paint(key, Ink.Strong)).Append('=').Append(value).Append('\n');
        return text.ToString();
    }

    private static IEnumerable<KeyValuePair<string, string?>> Parse(Cli cli, string[] pairs)
    {
        if (pairs.Count(pair => pair.EndsWith("=-", StringComparison.Ordinal)) > 1)
        {
            throw CliErrors.Usage("config", "only one value can be read from standard input.");
        }

        foreach (var pair in pairs)
        {
            var equals = pair.IndexOf('=');
            if (equals < 0) throw CliErrors.Usage("config", $"'{pair}' is not KEY=VALUE.");
            var (key, value) = (CheckKey(pair[..equals]), pair[(equals + 1)..]);
            yield return KeyValuePair.Create(key, (string?)(value == "-" ? ReadValue(cli, key) : value));
        }
    }

    private static string ReadValue(Cli cli, string key)
    {
        using var input = cli.In();
        if (!cli.Interactive) return input.ReadToEnd().TrimEnd('\n').TrimEnd('\r');
        cli.Error.Write($"{key}: ");
        var value = Terminal.ReadSecret(input) ?? "";
        cli.Error.Line();
        return value;
    }

    // POSIX names; the message must not show what stands behind the equals sign.
    private static string CheckKey(string key) => Name().IsMatch(key)
        ? key
        : throw CliErrors.Usage("config", $"'{key}' is no name of a variable: letters, digits and _, not beginning with a digit.");

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]*$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
