using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar exec</c>.</summary>
internal static class ExecCommand
{
    public static Verb Verb { get; } = new("exec", VerbGroup.Run, "Run a command with an instance's environment, in its folder", Create, "ashlar exec");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (call, _) => throw CliErrors.NotRunning(call.StackFolder));
}
