using System.CommandLine;
using Ashlar.Agent.Machines;

namespace Ashlar.Commands;

/// <summary><c>ashlar join</c>.</summary>
internal static class JoinCommand
{
    public static Verb Verb { get; } = new("join", VerbGroup.Run, "Make this machine one of a stack's, by a token read from stdin", Create,
        "ashlar join --address 10.0.0.12 < token");

    private static Command Create(Cli cli)
    {
        var address = new Option<string?>("--address") { Description = "address of this machine for the others" };
        var name = new Option<string?>("--name") { Description = "name of this machine; default: its host name" };
        var labels = new Option<string[]>("--label") { Description = "a label for placement; can be repeated", AllowMultipleArgumentsPerToken = true };
        return VerbCall.Command(cli, Verb, [address, name, labels], async (call, cancellation) =>
        {
            var folder = Path.GetFullPath(call.StackPath ?? cli.Folder);
            var token = await Console.In.ReadLineAsync(cancellation) ?? "";
            var joined = await Joining.JoinAsync(folder, token, call.Value(name), call.Value(address), [.. call.Value(labels) ?? []], cli.Time, cancellation);
            await using var agent = await cli.Agents.EnsureRunningAsync(folder, _ => { }, cancellation);
            return call.Done("join", $"{joined.Name} is a machine of {joined.Stack}");
        });
    }
}
