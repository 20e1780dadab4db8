using System.CommandLine;
using Ashlar.Agent.Api;
using Ashlar.Agents;

namespace Ashlar.Commands;

/// <summary><c>ashlar exec</c>.</summary>
internal static class ExecCommand
{
    public static Verb Verb { get; } = new("exec", VerbGroup.Run, "Run a command with an instance's environment, in its folder", Create,
        "ashlar exec web.1 env", "ashlar exec web.1", "ashlar exec worker.2 kill -USR1 1234");

    private static Command Create(Cli cli)
    {
        var instance = new Argument<string>("INSTANCE") { Description = "whose environment, folder and user: web.1" };
        var command = new Argument<string[]>("COMMAND")
        {
            Arity = ArgumentArity.ZeroOrMore,
            CaptureRemainingTokens = true,
            Description = "program with its arguments; none: a shell",
        };
        return VerbCall.Command(cli, Verb, [instance, command, Here.Option], async (call, cancellation) =>
        {
            var words = OneOff.Strip(call.Value(command)!);
            if (!call.Value(Here.Option) && await ElsewhereAsync(call, call.Value(instance)!, cancellation) is var (others, machine))
            {
                return await others.RunAsync(machine, ["exec", call.Value(instance)!, "--", .. words], cli.Environment, cancellation);
            }

            await OneOff.BecomeAsync(call, call.Value(instance), words is [] ? ["/bin/sh"] : words, cancellation);
            return ExitCodes.Failed;
        });
    }

    // The machine that runs the instance, where that is another one.
    private static async Task<(OtherMachines Others, MachineLine Machine)?> ElsewhereAsync(VerbCall call, string instance, CancellationToken cancellation)
    {
        if (await OtherMachines.FindAsync(call.Cli, call.StackFolder, cancellation) is not { } others) return null;
        await using var agent = await call.AgentAsync(cancellation);
        var report = await agent.StatusAsync(cancellation);
        var found = report.Tiers.SelectMany(tier => tier.Services).SelectMany(service => service.Instances).Where(i => i.Name == instance).ToArray();
        return found.Length > 0 && !found.Any(i => i.Machine == others.Own) && others.Find(found[0].Machine) is { } machine ? (others, machine) : null;
    }
}
