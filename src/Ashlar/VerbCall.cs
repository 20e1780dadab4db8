using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Agent.Hosting;
using Ashlar.Agents;
using Ashlar.Errors;
using Ashlar.Output;

namespace Ashlar;

/// <summary>One call of a verb: what was typed, and what every verb needs.</summary>
internal sealed class VerbCall(Cli cli, ParseResult parsed)
{
    private const string StackOption = "--stack", JsonOption = "--json";

    /// <summary>The world.</summary>
    public Cli Cli => cli;

    /// <summary>True: results and errors are written as JSON.</summary>
    public bool Json => parsed.GetValue<bool>(JsonOption);

    /// <summary>What <c>--stack</c> says, or null.</summary>
    public string? StackPath => parsed.GetValue<string?>(StackOption);

    /// <summary>Folder of the stack: <c>--stack</c>, else the nearest one upwards that holds a stack.</summary>
    /// <exception cref="AshlarException">ASH6014, ASH6027; ASH4027: it is another user's.</exception>
    public string StackFolder
    {
        get
        {
            var folder = StackPath is { } path ? StackLocation.OfStack(cli.Folder, path) : StackLocation.Upwards(cli.Folder);
            StateFolder.Of(folder).RequireOurs();
            return folder;
        }
    }

    /// <summary>Makes the command of a verb: its own symbols, the common options, and what it does.</summary>
    /// <param name="cli">The world.</param>
    /// <param name="verb">The verb.</param>
    /// <param name="symbols">Its own arguments, options and second words.</param>
    /// <param name="run">What it does.</param>
    /// <param name="json">False: what it prints is a text for a program already.</param>
    public static Command Command(
        Cli cli, Verb verb, IEnumerable<Symbol> symbols, Func<VerbCall, CancellationToken, Task<int>> run, bool json = true)
    {
        var command = Command(cli, verb.Name, verb.Summary, symbols, run);
        command.Options.Add(new Option<string?>(StackOption, "-a")
        {
            Description = "folder or file of the stack; default: this folder or the nearest above that holds one",
            HelpName = "PATH",
            Recursive = true,
        });
        if (json) command.Options.Add(new Option<bool>(JsonOption) { Description = "write results and errors as JSON", Recursive = true });
        return command;
    }

    /// <summary>Makes the command of a second word (<c>config set</c>), which has the common options of the first.</summary>
    public static Command Command(
        Cli cli, string name, string summary, IEnumerable<Symbol> symbols, Func<VerbCall, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, summary);
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Argument argument: command.Arguments.Add(argument); break;
                case Option option: command.Options.Add(option); break;
                case Command second: command.Subcommands.Add(second); break;
                default: throw new ArgumentException($"A {symbol.GetType().Name} in {name}.", nameof(symbols));
            }
        }

        command.SetAction((parsed, cancellation) => run(new VerbCall(cli, parsed), cancellation));
        return command;
    }

    /// <summary>The value of an option.</summary>
    public T? Value<T>(Option<T> option) => parsed.GetValue(option);

    /// <summary>The value of an argument.</summary>
    public T? Value<T>(Argument<T> argument) => parsed.GetValue(argument);

    /// <summary>The running agent of the stack.</summary>
    /// <exception cref="AshlarException">The stack does not run (ASH6013), or runs without its agent (ASH6029).</exception>
    public async Task<IAgentSession> AgentAsync(CancellationToken cancellation)
    {
        var (agent, left) = await FindAsync(cancellation);
        return agent ?? throw (left.IsEmpty ? CliErrors.NotRunning(StackFolder) : CliErrors.AgentEnded(StackFolder, left.Length));
    }

    /// <summary>The agent that is to take the stack down: where one was killed, a new one that has taken over what it left running.</summary>
    /// <returns>Null: nothing runs.</returns>
    /// <exception cref="AshlarException">ASH6030: something runs, and no agent starts.</exception>
    public async Task<IAgentSession?> AgentToEndAsync(Action<string> progress, CancellationToken cancellation)
    {
        var (agent, left) = await FindAsync(cancellation);
        if (agent is not null || left.IsEmpty) return agent;
        progress("the agent has ended: a new one takes over what it left");
        try
        {
            return await cli.Agents.EnsureRunningAsync(StackFolder, progress, cancellation);
        }
        catch (AshlarException e)
        {
            throw CliErrors.LeftRunning(StackFolder, left, e);
        }
    }

    /// <summary>Asks the agent of the stack or, where none runs, what the stack keeps. Nothing is started for it.</summary>
    /// <param name="running">Asks the agent.</param>
    /// <param name="stopped">Asks what the stack keeps.</param>
    /// <param name="nothing">The answer to a question about a stack that keeps nothing yet; null: it is begun.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task<T> RunningOrNotAsync<T>(
        Func<IAgentSession, Task<T>> running, Func<StoppedStack, Task<T>> stopped, T? nothing, CancellationToken cancellation)
        where T : class
    {
        var folder = StackFolder;
        while (true)
        {
            if (await cli.Agents.FindAsync(folder, cancellation) is { } agent)
            {
                await using (agent) return await running(agent);
            }

            if (nothing is not null && !Directory.Exists(StateFolder.Of(folder).Path)) return nothing;
            if (StoppedStack.TryOpen(folder, cli.Time) is { } stack)
            {
                await using (stack) return await stopped(stack);
            }

            // At this moment an agent starts, or another command has the stack open.
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation);
        }
    }

    // The agent or, where none runs, the pids that one has left running.
    private async Task<(IAgentSession? Agent, ImmutableArray<int> Left)> FindAsync(CancellationToken cancellation)
    {
        var folder = StackFolder;
        while (true)
        {
            if (await cli.Agents.FindAsync(folder, cancellation) is { } agent) return (agent, []);
            try
            {
                if (await StoppedStack.LeftRunningAsync(folder, cli.Time) is { } left) return (null, left);
            }
            catch (Exception e) when (e is not OperationCanceledException and not OutOfMemoryException)
            {
                // A store that cannot be read, of another user or damaged, tells of nothing that runs.
                return (null, []);
            }

            // At this moment an agent starts, or another command has the stack open.
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation);
        }
    }

    /// <summary>Writes a result: as JSON, or as people read it.</summary>
    public void Print<T>(T result, JsonTypeInfo<T> type, Func<Screen, T, string> text)
    {
        if (Json) cli.Out.Line(JsonSerializer.Serialize(result, type));
        else cli.Out.Write(text(cli.Out, result));
    }

    /// <summary>Writes that the verb is done.</summary>
    public int Done(string verb, string text)
    {
        Print(new DoneReport(verb, text), CliJson.Default.DoneReport, static (_, report) => report.Text + "\n");
        return ExitCodes.Ok;
    }

    /// <summary>Sends a verb to the running agent and shows its progress.</summary>
    public async Task<TResult?> OrderAsync<TArguments, TResult>(
        string verb, TArguments arguments, JsonTypeInfo<TArguments> type, JsonTypeInfo<TResult> result, string what,
        CancellationToken cancellation)
        where TResult : class
    {
        await using var agent = await AgentAsync(cancellation);
        using var progress = new Progress(cli.Error, cli.Time, what, silent: Json);
        return await agent.AskAsync(verb, arguments, type, result, progress.Step, cancellation);
    }
}
