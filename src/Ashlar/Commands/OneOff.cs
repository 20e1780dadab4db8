using System.Buffers;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Commands;

/// <summary>
/// Runs a command as if it were of a service. The program becomes the command, so terminal, signals and exit code are its own.
/// </summary>
internal static class OneOff
{
    private static readonly SearchValues<char> ShellSigns = SearchValues.Create(" \t\n|&;<>()$`\"'*?");

    /// <summary>Asks the agent for the environment of a service or instance, then becomes the command; returns only by throwing.</summary>
    public static async Task BecomeAsync(VerbCall call, string? target, string[] command, CancellationToken cancellation)
    {
        EnvironmentResult found;
        await using (var agent = await call.AgentAsync(cancellation))
        {
            found = await agent.AskAsync(AgentVerbs.Environment, new EnvironmentArguments(target, target is null ? command[0] : null), AgentJson.Default.EnvironmentArguments,
                AgentJson.Default.EnvironmentResult, null, cancellation) ?? throw AgentErrors.ConnectionLost(AgentVerbs.Environment);
        }

        if (found.Run is { } line)
        {
            // What follows the service's name goes to its command.
            command = command.Length == 1 ? [.. ShellCommand.ToArguments(line)] : [.. ShellCommand.ToArguments($"{line} \"$@\""), .. command];
        }

        var environment = Environment(found, call.Cli.Environment);
        var words = Words(command, environment, found);
        ExecInPlace.Run(words[0], words, environment, found.WorkingDirectory);
    }

    /// <summary>The words without the <c>--</c> that may stand before them.</summary>
    internal static string[] Strip(string[] words) => words is ["--", .. var rest] ? rest : words;

    /// <summary>The command with its program's path in front, behind <c>setpriv</c> where the user changes; the environment then becomes that user's.</summary>
    internal static string[] Words(string[] command, IDictionary<string, string> environment, EnvironmentResult found)
    {
        // One word with blanks or a shell's signs in it is a command line, as people write them in quotes.
        if (command is [var line] && line.AsSpan().ContainsAny(ShellSigns)) command = ["/bin/sh", "-c", line];
        var path = environment.TryGetValue("PATH", out var given) ? given : ChildEnvironment.DefaultPath;
        var current = SystemUsers.Current;
        if (found.User is not { } name || current.Name == name)
        {
            return [ProgramSearch.Find(command[0], path, found.WorkingDirectory, current), .. command[1..]];
        }

        if (!SystemUsers.IsRoot)
        {
            throw CliErrors.NotPossible($"the stack's services run as {name}, and only root may become {name}.", $"sudo ashlar run, or run it as {name}.");
        }

        var user = SystemUsers.Find(name) ?? throw CliErrors.NotPossible($"there is no user {name} on this machine.", "ashlar doctor says more.");
        ChildEnvironment.BecomeUser(environment, user, found.WorkingDirectory);
        path = environment["PATH"];
        return
        [
            ProgramSearch.Find("setpriv", "/usr/bin:/bin", "/", current),
            $"--reuid={user.Uid}", $"--regid={user.Gid}", "--init-groups", "--no-new-privs", "--",
            ProgramSearch.Find(command[0], path, found.WorkingDirectory, user), .. command[1..],
        ];
    }

    // The terminal is the caller's, all else the service's.
    private static SortedDictionary<string, string> Environment(EnvironmentResult found, Func<string, string?> own)
    {
        var environment = new SortedDictionary<string, string>(found.Environment, StringComparer.Ordinal);
        foreach (var name in new[] { "TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "COLUMNS", "LINES" })
        {
            if (own(name) is { } value) environment.TryAdd(name, value);
        }

        return environment;
    }
}
