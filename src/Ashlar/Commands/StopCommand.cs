using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar stop</c>.</summary>
internal static class StopCommand
{
    public static Verb Verb { get; } = new("stop", VerbGroup.Run, "Stop services or instances; they stay stopped until started", Create,
        "ashlar stop web", "ashlar stop web.1");

    private static Command Create(Cli cli)
    {
        var targets = Targets.Argument();
        return VerbCall.Command(cli, Verb, [targets], async (call, cancellation) =>
        {
            var named = call.Value(targets)!;
            await call.OrderAsync(AgentVerbs.Stop, new TargetArguments([.. named]), AgentJson.Default.TargetArguments,
                CliJson.Default.DoneReport, "stopping", cancellation);
            return call.Done("stop", $"stopped: {Targets.Say(named)}");
        });
    }
}
