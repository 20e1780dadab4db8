using System.CommandLine;

namespace Ashlar.Commands;

/// <summary><c>ashlar schema</c>.</summary>
internal static class SchemaCommand
{
    public static Verb Verb { get; } = new("schema", VerbGroup.Settings, "Print the JSON Schema of the stack file", Create, "ashlar schema");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (call, _) => throw CliErrors.NotRunning(call.StackFolder));
}
