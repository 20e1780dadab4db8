using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar start</c>.</summary>
internal static class StartCommand
{
    public static Verb Verb { get; } = new("start", VerbGroup.Run, "Start what was stopped", Create,
        "ashlar start web", "ashlar start web.1", "ashlar start");

    private static Command Create(Cli cli)
    {
        var targets = Targets.Argument();
        return VerbCall.Command(cli, Verb, [targets], async (call, cancellation) =>
        {
            var named = call.Value(targets)!;
            await call.OrderAsync(AgentVerbs.Start, new TargetArguments([.. named]), AgentJson.Default.TargetArguments,
                CliJson.Default.DoneReport, "starting", cancellation);
            return call.Done("start", $"started: {Targets.Say(named)}");
        });
    }
}
