using System.Collections.Immutable;
using Ashlar.Agent.Api;
using Ashlar.Agent.Machines.Sessions;
using Ashlar.Output;
using Microsoft.Win32.SafeHandles;

namespace Ashlar.Agents;

/// <summary>The other machines of a stack, for verbs that a machine must carry out itself.</summary>
/// <param name="stackFolder">The stack's folder here.</param>
/// <param name="own">Name of this machine.</param>
/// <param name="all">All machines.</param>
internal sealed class OtherMachines(string stackFolder, string own, ImmutableArray<MachineLine> all)
{
    /// <summary>Those of a stack; null: it stands on this machine alone, or no agent tells of others.</summary>
    public static async Task<OtherMachines?> FindAsync(Cli cli, string stackFolder, CancellationToken cancellation)
    {
        if (RemoteProgram.MachineOf(stackFolder) is not { } own || await cli.Agents.FindAsync(stackFolder, cancellation) is not { } agent) return null;
        await using (agent)
        {
            var result = await agent.AskAsync(AgentVerbs.Machines, AgentJson.Default.MachinesResult, null, cancellation);
            return new OtherMachines(stackFolder, own, result?.Machines ?? []);
        }
    }

    /// <summary>Name of this machine.</summary>
    public string Own => own;

    /// <summary>All that have joined but this one.</summary>
    public IEnumerable<MachineLine> All => all.Where(machine => machine.Name != own && machine.PeerPort != 0);

    /// <summary>Another machine by its name; null: it is this one, or there is none of that name.</summary>
    public MachineLine? Find(string name) => All.FirstOrDefault(machine => machine.Name == name);

    /// <summary>Runs a verb there with our own input, output and terminal, and gives its exit code.</summary>
    public async Task<int> RunAsync(MachineLine machine, ImmutableArray<string> arguments, Func<string, string?> environment, CancellationToken cancellation)
    {
        var terminal = Terminal.Is(0) && Terminal.Is(1) ? new SessionTerminal(environment("TERM") ?? "xterm", Terminal.Width(1), Terminal.Rows(1)) : null;
        await using var input = new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        await using var output = new StandardStream(1);
        await using var error = new StandardStream(2);
        using var typed = terminal is null ? null : Terminal.PassOn();
        return await RemoteProgram.RunAsync(stackFolder, machine, arguments, terminal, input, output, error, cancellation);
    }

    /// <summary>Runs a verb there that reads nothing.</summary>
    public Task<int> RunAsync(MachineLine machine, ImmutableArray<string> arguments, Stream output, Stream error, CancellationToken cancellation) =>
        RemoteProgram.RunAsync(stackFolder, machine, arguments, null, null, output, error, cancellation);
}
