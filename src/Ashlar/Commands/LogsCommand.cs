using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar logs</c>.</summary>
internal static class LogsCommand
{
    public static Verb Verb { get; } = new("logs", VerbGroup.Run, "Show what instances have written, and follow it", Create, "ashlar logs");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (call, _) => throw CliErrors.NotRunning(call.StackFolder));
}
