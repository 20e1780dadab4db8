using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Verb Verb { get; } = new("doctor", VerbGroup.Start, "Check that this machine can run the stack", Create, "ashlar doctor");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (call, _) => throw CliErrors.NotRunning(call.StackFolder));
}
