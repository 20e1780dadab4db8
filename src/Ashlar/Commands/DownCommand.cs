using System.CommandLine;
using Ashlar.Agent.Api;
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
            await call.OrderAsync(AgentVerbs.Down, new DownArguments(call.Value(now)), CliJson.Default.DownArguments,
                CliJson.Default.DoneReport, "stopping", cancellation);
            return call.Done("down", "stopped");
        });
    }
}
