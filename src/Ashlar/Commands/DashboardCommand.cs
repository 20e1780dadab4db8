using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Agents;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar dashboard</c>.</summary>
internal static class DashboardCommand
{
    public static Verb Verb { get; } = new("dashboard", VerbGroup.Run, "Print the address of the page that shows the stack, with the token that lets you in", Create,
        "ashlar dashboard", "ashlar dashboard --json");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], async (call, cancellation) =>
    {
        await using var agent = await call.AgentAsync(cancellation);
        var result = await agent.AskAsync(AgentVerbs.Dashboard, AgentJson.Default.DashboardResult, null, cancellation)
            ?? throw Agent.AgentErrors.ConnectionLost(AgentVerbs.Dashboard);
        call.Print(result, CliJson.Agent.DashboardResult, static (_, r) => r.Url + "\n");
        return ExitCodes.Ok;
    });
}
