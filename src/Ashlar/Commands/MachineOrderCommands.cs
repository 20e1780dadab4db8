using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar machines cordon|uncordon|drain|rebalance|rm|label</c>.</summary>
internal static class MachineOrderCommands
{
    public static IEnumerable<Command> Create(Cli cli)
    {
        yield return Order(cli, "cordon", AgentVerbs.Cordon, "have a machine keep what it runs and take nothing new", name => $"{name} takes nothing new");
        yield return Order(cli, "uncordon", AgentVerbs.Uncordon, "have it take instances again", name => $"{name} takes what comes");
        yield return Order(cli, "drain", AgentVerbs.Drain, "move what it runs elsewhere, and wait for that; exit code 6 if something must stay", name => $"{name} is drained");
        yield return Rebalance(cli);
        yield return Remove(cli);
        yield return Label(cli);
    }

    private static Command Order(Cli cli, string word, string verb, string summary, Func<string, string> done)
    {
        var name = Name();
        return VerbCall.Command(cli, word, summary, [name], (call, cancellation) => SendAsync(call, verb, new MachineArguments(call.Value(name)!), done(call.Value(name)!), cancellation));
    }

    private static Command Rebalance(Cli cli)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "print what would move, move nothing" };
        return VerbCall.Command(cli, "rebalance", "spread over the machines what runs, with as few moves as that takes, and wait for them", [dryRun], async (call, cancellation) =>
        {
            var result = await call.OrderAsync(AgentVerbs.Rebalance, new RebalanceArguments(call.Value(dryRun)), AgentJson.Default.RebalanceArguments, AgentJson.Default.RebalanceResult, "moving", cancellation);
            call.Print(result ?? new RebalanceResult([]), CliJson.Agent.RebalanceResult, (_, said) => said.Moves.IsEmpty
                ? "nothing to move: what may move is spread already\n"
                : string.Concat(said.Moves.Select(move => $"{move.Instance} {(call.Value(dryRun) ? "would go" : "went")} from {move.From} to {move.To}\n")));
            return ExitCodes.Ok;
        });
    }

    private static Command Remove(Cli cli)
    {
        var name = Name();
        var force = new Option<bool>("--force") { Description = "also while it runs something, and with data that is nowhere else" };
        return VerbCall.Command(cli, "rm", "remove a machine: it stops what it runs, and nobody believes it any more", [name, force], (call, cancellation) =>
            SendAsync(call, AgentVerbs.Remove, new MachineArguments(call.Value(name)!, Force: call.Value(force)), $"{call.Value(name)} is removed", cancellation));
    }

    private static Command Label(Cli cli)
    {
        var name = Name();
        var labels = new Argument<string[]>("LABEL") { Arity = ArgumentArity.OneOrMore, Description = "label to give; with a hyphen at its end: to take away" };
        return VerbCall.Command(cli, "label", "give a machine labels for placement, or take them away", [name, labels], (call, cancellation) =>
            SendAsync(call, AgentVerbs.Label, new MachineArguments(call.Value(name)!) { Labels = [.. call.Value(labels)!] }, $"{call.Value(name)}: {string.Join(' ', call.Value(labels)!)}", cancellation));
    }

    private static Argument<string> Name() => new("NAME") { Description = "name of the machine" };

    private static async Task<int> SendAsync(VerbCall call, string verb, MachineArguments arguments, string done, CancellationToken cancellation)
    {
        await call.OrderAsync(verb, arguments, AgentJson.Default.MachineArguments, CliJson.Default.DoneReport, "telling the machines", cancellation);
        return call.Done(verb, done);
    }
}
