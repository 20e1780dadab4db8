using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar run</c>.</summary>
internal static class RunCommand
{
    public static Verb Verb { get; } = new("run", VerbGroup.Run, "Run a one-off command with a service's environment", Create,
        "ashlar run python3 manage.py migrate", "ashlar run load", "ashlar run --service worker bash", "ashlar run 'echo $DATABASE_URL | wc -c'");

    private static Command Create(Cli cli)
    {
        var service = new Option<string?>("--service", "-s") { Description = "whose environment; default: the first service", HelpName = "NAME" };
        var command = new Argument<string[]>("COMMAND")
        {
            Arity = ArgumentArity.OneOrMore,
            CaptureRemainingTokens = true,
            Description = "program with its arguments, or the name of a service: its own command; one quoted word is a shell's command line. Options of ashlar stand before it",
        };
        return VerbCall.Command(cli, Verb, [service, command], async (call, cancellation) =>
        {
            await OneOff.BecomeAsync(call, call.Value(service), OneOff.Strip(call.Value(command)!), cancellation);
            return ExitCodes.Failed;
        });
    }
}
