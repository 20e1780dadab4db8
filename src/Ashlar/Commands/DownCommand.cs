using System.CommandLine;
using Ashlar.Agents;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar down</c>.</summary>
internal static class DownCommand
{
    public static Verb Verb { get; } = new("down", VerbGroup.Start, "Stop the whole stack in order; nothing is deleted", Create,
        "ashlar down", "ashlar down --now");

    private static Command Create(Cli cli)
    {
        var now = new Option<bool>("--now") { Description = "kill at once: no drain, no grace" };
        return VerbCall.Command(cli, Verb, [now], async (call, cancellation) =>
        {
            using (var progress = new Progress(cli.Error, cli.Time, "stopping", silent: call.Json))
            {
                await using var agent = await call.AgentToEndAsync(progress.Step, cancellation) ?? throw CliErrors.NotRunning(call.StackFolder);
                await agent.DownAsync(call.Value(now), progress.Step, cancellation);
            }

            return call.Done("down", "stopped");
        });
    }
}
