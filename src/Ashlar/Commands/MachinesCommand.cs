using System.CommandLine;
using Ashlar.Adding;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar machines</c> with its second words.</summary>
internal static class MachinesCommand
{
    private const int VersionShown = 8;

    public static Verb Verb { get; } = new("machines", VerbGroup.Run, "List, add, drain and remove the machines of the stack", Create,
        "ashlar machines list", "ashlar machines add root@10.0.0.12 --label web", "ashlar machines drain app-2", "ashlar machines token --address 10.0.0.11", "ashlar machines token | ssh app-2 'cd /srv/shop && ashlar join --address 10.0.0.12'");

    private static Command Create(Cli cli)
    {
        var address = new Option<string?>("--address") { Description = "address of this machine for the others; needed for the first token" };
        var name = new Option<string?>("--name") { Description = "name of this machine; default: its host name" };
        return VerbCall.Command(cli, Verb,
        [
            AddCommand.Create(cli),
            VerbCall.Command(cli, "list", "name, address, state, who leads, instances", [], ListAsync),
            VerbCall.Command(cli, "token", "print a token by which one machine may join, within an hour; the first one moves the stack's state to etcd", [address, name],
                (call, cancellation) => TokenAsync(call, new FoundArguments(call.Value(address), call.Value(name)), cancellation)),
            .. MachineOrderCommands.Create(cli),
        ], (_, _) => throw CliErrors.Usage("machines", "it needs a second word: list, add, token, cordon, uncordon, drain, rebalance, rm or label."));
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
        call.Print(await MachineToken.GetAsync(call, arguments, cancellation), CliJson.Agent.TokenResult, static (_, r) => r.Token + "\n");
        return ExitCodes.Ok;
    }

    private static string Render(Screen screen, MachinesResult result)
    {
        if (result.Machines.IsEmpty) return "this machine alone: ashlar machines add makes it one of several\n";
        var table = new Table(new("NAME"), new("ADDRESS"), new("STATE"), new("INSTANCES", Right: true), new("MEMORY", Right: true), new("CORES", Right: true), new("VERSION"), new("LABELS"), new(""));
        foreach (var machine in result.Machines)
        {
            table.Add(
                machine.Name, machine.Address, new Cell(machine.State, machine.State == "alive" ? Ink.Good : Ink.Warning), machine.Instances.ToString(),
                machine.Memory > 0 ? Units.Bytes(machine.Memory) : "", machine.Cores > 0 ? machine.Cores.ToString() : "", machine.ProgramVersion[..Math.Min(VersionShown, machine.ProgramVersion.Length)],
                string.Join(' ', machine.Labels), machine.Leads ? "leads" : "");
        }

        var notes = result.Machines.Where(machine => machine.Note.Length > 0).Select(machine => $"{machine.Name}: {machine.Note}\n");
        var alone = result.Machines.All(machine => machine.State == "absent") ? "this machine alone, so far; those of the stack file are to join\n" : "";
        return $"{alone}{table.Render(screen)}{string.Concat(notes)}{(result.State.Length > 0 ? $"state: {result.State}\n" : "")}";
    }
}
