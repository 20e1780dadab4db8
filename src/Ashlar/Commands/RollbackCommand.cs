using System.CommandLine;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar rollback</c>.</summary>
internal static class RollbackCommand
{
    public static Verb Verb { get; } = new("rollback", VerbGroup.Ship, "Go back to an earlier release", Create,
        "ashlar rollback", "ashlar rollback v12");

    private static Command Create(Cli cli)
    {
        var release = new Argument<string?>("RELEASE")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "release to go back to; none: the one before",
        };
        return VerbCall.Command(cli, Verb, [release], async (call, cancellation) =>
        {
            var result = await call.OrderAsync(AgentVerbs.Rollback, new RollbackArguments(Name(call.Value(release))),
                AgentJson.Default.RollbackArguments, AgentJson.Default.UpResult, "rolling back", cancellation)
                ?? throw AgentErrors.ConnectionLost(AgentVerbs.Rollback);
            call.Print(result, CliJson.Agent.UpResult, UpReport.Render);
            return ExitCodes.Ok;
        });
    }

    // 12 is taken for v12.
    private static string? Name(string? typed) => typed is [>= '0' and <= '9', ..] ? "v" + typed : typed;
}
