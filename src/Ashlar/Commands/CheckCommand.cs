using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar check</c>.</summary>
internal static class CheckCommand
{
    public static Verb Verb { get; } = new("check", VerbGroup.Start, "Check the stack file and say all its mistakes", Create, "ashlar check");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (call, _) => throw CliErrors.NotRunning(call.StackFolder));
}
