using System.CommandLine;
using Ashlar.Stack;

namespace Ashlar.Commands;

/// <summary><c>ashlar schema</c>.</summary>
internal static class SchemaCommand
{
    public static Verb Verb { get; } = new("schema", VerbGroup.Settings, "Print the JSON Schema of the stack file, for editors", Create,
        "ashlar schema > ashlar.schema.json");

    private static Command Create(Cli cli) => VerbCall.Command(cli, Verb, [], (_, _) =>
    {
        cli.Out.Write(StackSchema.Generate());
        return Task.FromResult(ExitCodes.Ok);
    });
}
