using System.CommandLine;
using Ashlar.Agents;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar ps</c>.</summary>
internal static class PsCommand
{
    public static Verb Verb { get; } = new("ps", VerbGroup.Run, "Show what runs: tiers, services, instances, processes", Create,
        "ashlar ps", "ashlar ps --json");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], async (call, cancellation) =>
    {
        await using var agent = await call.AgentAsync(cancellation);
        var report = await agent.StatusAsync(cancellation);
        call.Print(report, CliJson.Agent.StatusReport, (screen, r) => ProcessTree.Render(screen, r, cli.Time.GetUtcNow()));
        return ExitCodes.Ok;
    });
}
