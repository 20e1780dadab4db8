using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar up</c>.</summary>
internal static class UpCommand
{
    public static Verb Verb { get; } = new("up", VerbGroup.Start, "Bring the whole stack up, or bring it up to date", Create, "ashlar up");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (call, _) => throw CliErrors.NotRunning(call.StackFolder));
}
