using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar service</c>.</summary>
internal static class ServiceCommand
{
    public static Verb Verb { get; } = new("service", VerbGroup.Settings, "Start the stack when the machine boots (systemd)", Create, "ashlar service");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (call, _) => throw CliErrors.NotRunning(call.StackFolder));
}
