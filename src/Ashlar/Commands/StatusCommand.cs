using System.CommandLine;
using Ashlar.Agents;
using Ashlar.Logs;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar status</c>.</summary>
internal static class StatusCommand
{
    public static Verb Verb { get; } = new("status", VerbGroup.Run, "Say in short whether the stack is healthy (exit code 5 if not)", Create,
        "ashlar status", "ashlar status --json");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], async (call, cancellation) =>
    {
        await using var agent = await call.AgentAsync(cancellation);
        var report = await agent.StatusAsync(cancellation);
        call.Print(report, CliJson.Agent.StatusReport, HealthSummary.Render);
        foreach (var lost in call.Json ? [] : LostLog.Of(report, LogFolder.Of(call.StackFolder)))
        {
            cli.Error.Write(ErrorText.Warning(cli.Error, CliErrors.LogDeleted(lost.Instance, lost.Pid)));
        }

        return report.Healthy ? ExitCodes.Ok : ExitCodes.Unhealthy;
    });
}
