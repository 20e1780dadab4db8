using System.CommandLine;
using Ashlar.Adding;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar machines add</c>.</summary>
internal static class AddCommand
{
    public static Command Create(Cli cli)
    {
        var host = new Argument<string>("USER@HOST") { Description = "whom ssh reaches; HOST as ssh knows it" };
        var address = new Option<string?>("--address") { Description = "its address for the other machines; default: the stack file's, else HOST's" };
        var name = new Option<string?>("--name") { Description = "its name; default: the stack file's for that address, else its host name" };
        var labels = new Option<string[]>("--label") { Description = "a label for placement; can be repeated" };
        var path = new Option<string?>("--path") { Description = "folder of the stack there; default: the same as here" };
        var ssh = new Option<string>("--ssh") { Description = "the ssh command, with options", DefaultValueFactory = _ => "ssh" };
        var package = new Option<string?>("--package") { Description = "packaged release to send (ashlar package); default: the program that runs", HelpName = "FILE" };
        return VerbCall.Command(cli, "add", "make a host a machine of the stack, by ssh", [host, address, name, labels, path, ssh, package], async (call, cancellation) =>
        {
            var destination = call.Value(host)!;
            var words = call.Value(ssh)!.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (destination.StartsWith('-') || words.Length == 0)
            {
                throw CliErrors.Usage("machines", $"'{destination}' is no host.");
            }

            var folder = call.Value(path) ?? call.StackFolder;
            if (!Path.IsPathRooted(folder))
            {
                throw CliErrors.Usage("machines", "--path must be absolute.");
            }

            using var progress = new Progress(cli.Error, cli.Time, "adding", silent: call.Json);
            var addition = new MachineAddition(
                call, new Ssh(words, destination), new ProgramParcel(call.Value(package), Environment.ProcessPath!),
                new AdditionRequest(call.Value(name), call.Value(address), [.. call.Value(labels) ?? []], folder), progress.Step);
            var added = await addition.RunAsync(cancellation);
            progress.Dispose();
            return call.Done("machines add", $"{added.Name} is a machine of the stack, {added.Address}");
        });
    }
}
