using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar machines list</c> and <c>machines token</c>.</summary>
internal static class MachinesCommand
{
    private static readonly string LostCode = Agent.AgentErrors.ConnectionLost("").Error.Code;

    public static Verb Verb { get; } = new("machines", VerbGroup.Run, "List the machines of the stack, or make a token for one more", Create,
        "ashlar machines list", "ashlar machines token --address 10.0.0.11", "ashlar machines token | ssh app-2 'cd /srv/shop && ashlar join --address 10.0.0.12'");

    private static Command Create(Cli cli)
    {
        var address = new Option<string?>("--address") { Description = "address of this machine for the others; needed for the first token" };
        var name = new Option<string?>("--name") { Description = "name of this machine; default: its host name" };
        return VerbCall.Command(cli, Verb,
        [
            VerbCall.Command(cli, "list", "name, address, state, who leads, instances", [], ListAsync),
            VerbCall.Command(cli, "token", "print a token by which one machine may join, within an hour", [address, name],
                (call, cancellation) => TokenAsync(call, new FoundArguments(call.Value(address), call.Value(name)), cancellation)),
        ], (_, _) => throw CliErrors.Usage("machines", "it needs a second word: list or token."));
    }

    private static async Task<int> ListAsync(VerbCall call, CancellationToken cancellation)
    {
        await using var agent = await call.AgentAsync(cancellation);
        var result = await agent.AskAsync(AgentVerbs.Machines, AgentJson.Default.MachinesResult, null, cancellation) ?? new MachinesResult([]);
        call.Print(result, CliJson.Agent.MachinesResult, Render);
        return ExitCodes.Ok;
    }

    private static async Task<int> TokenAsync(VerbCall call, FoundArguments arguments, CancellationToken cancellation)
    {
        var progress = new Action<string>(line => call.Cli.Error.Write(line + "\n"));
        TokenResult? result = null;
        while (result is null)
        {
            await using var agent = await call.AgentAsync(cancellation);
            try
            {
                result = await agent.AskAsync(AgentVerbs.Token, arguments, AgentJson.Default.FoundArguments, AgentJson.Default.TokenResult, progress, cancellation);
            }
            catch (Errors.AshlarException e) when (e.Error.Code == LostCode)
            {
                // It became one of many and started anew in place; the next question finds it so.
            }
        }

        call.Print(result, CliJson.Agent.TokenResult, static (_, r) => r.Token + "\n");
        return ExitCodes.Ok;
    }

    private static string Render(Screen screen, MachinesResult result)
    {
        if (result.Machines.IsEmpty) return "this machine alone: ashlar machines token makes it one of several\n";
        var table = new Table(new("NAME"), new("ADDRESS"), new("STATE"), new("INSTANCES", Right: true), new("MEMORY", Right: true), new("CORES", Right: true), new(""));
        foreach (var machine in result.Machines)
        {
            table.Add(
                machine.Name, machine.Address, new Cell(machine.State, machine.State == "alive" ? Ink.Good : Ink.Warning), machine.Instances.ToString(),
                Units.Bytes(machine.Memory), machine.Cores.ToString(), machine.Leads ? "leads" : "");
        }

        return table.Render(screen) + (result.State.Length > 0 ? $"state: {result.State}\n" : "");
    }
}
