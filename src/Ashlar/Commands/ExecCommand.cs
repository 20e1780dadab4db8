using System.CommandLine;

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
        return VerbCall.Command(cli, Verb, [instance, command], async (call, cancellation) =>
        {
            var words = OneOff.Strip(call.Value(command)!);
            await OneOff.BecomeAsync(call, call.Value(instance), words is [] ? ["/bin/sh"] : words, cancellation);
            return ExitCodes.Failed;
        });
    }
}
