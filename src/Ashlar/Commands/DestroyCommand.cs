using System.CommandLine;
using Ashlar.Agents;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar destroy</c>.</summary>
internal static class DestroyCommand
{
    public static Verb Verb { get; } = new("destroy", VerbGroup.Start, "Stop the stack and delete all that it keeps: data, backups, logs, releases", Create,
        "ashlar destroy", "ashlar destroy --yes");

    private static Command Create(Cli cli)
    {
        var yes = new Option<bool>("--yes", "-y") { Description = "do not ask" };
        return VerbCall.Command(cli, Verb, [yes], async (call, cancellation) =>
        {
            var folder = Path.Combine(call.StackFolder, StackLocation.StateFolder);
            var state = new DirectoryInfo(folder);
            if (!state.Exists) return call.Done("destroy", $"there is nothing to delete: {folder} does not exist");
            if (state.LinkTarget is { } target)
            {
                throw CliErrors.NotPossible($"{folder} is a link to {target}; only a folder is deleted.", "delete the link and what it points to by hand.");
            }

            if (!call.Value(yes) && !Confirm(call, folder)) throw CliErrors.NotConfirmed(folder);
            using (var progress = new Progress(cli.Error, cli.Time, "stopping", silent: call.Json))
            {
                await StopAsync(call, progress, cancellation);
                progress.Step($"deleting {folder}");
                state.Delete(recursive: true);
            }

            return call.Done("destroy", $"deleted {folder}");
        });
    }

    private static async Task StopAsync(VerbCall call, Progress progress, CancellationToken cancellation)
    {
        if (await call.AgentToEndAsync(progress.Step, cancellation) is not { } agent) return;
        await using (agent) await agent.DownAsync(now: false, progress.Step, cancellation);
    }

    private static bool Confirm(VerbCall call, string folder)
    {
        if (!call.Cli.Interactive || call.Json) return false;
        call.Cli.Error.Write($"This stops the stack and deletes {folder} with all its data, backups, logs and releases.\nType yes to go on: ");
        using var input = call.Cli.In();
        return string.Equals(input.ReadLine()?.Trim(), "yes", StringComparison.OrdinalIgnoreCase);
    }
}
