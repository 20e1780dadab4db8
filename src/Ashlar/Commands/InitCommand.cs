using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar init</c>.</summary>
internal static class InitCommand
{
    public static Verb Verb { get; } = new("init", VerbGroup.Start, "Look at this folder and write a stack file that runs", Create, "ashlar init");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (call, _) => throw CliErrors.NotRunning(call.StackFolder));
}
