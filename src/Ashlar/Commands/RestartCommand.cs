using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar restart</c>.</summary>
internal static class RestartCommand
{
    public static Verb Verb { get; } = new("restart", VerbGroup.Run, "Restart one by one, a healthy new instance before an old one drains", Create,
        "ashlar restart web", "ashlar restart web.1", "ashlar restart");

    private static Command Create(Cli cli)
    {
        var targets = Targets.Argument();
        return VerbCall.Command(cli, Verb, [targets], async (call, cancellation) =>
        {
            var named = call.Value(targets)!;
            await call.OrderAsync(AgentVerbs.Restart, new TargetArguments([.. named]), AgentJson.Default.TargetArguments,
                CliJson.Default.DoneReport, "restarting", cancellation);
            return call.Done("restart", $"restarted: {Targets.Say(named)}");
        });
    }
}
