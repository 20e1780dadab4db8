using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar run</c>.</summary>
internal static class RunCommand
{
    public static Verb Verb { get; } = new("run", VerbGroup.Run, "Run a one-off command with a service's environment", Create, "ashlar run");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (call, _) => throw CliErrors.NotRunning(call.StackFolder));
}
