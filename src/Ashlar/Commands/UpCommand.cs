using System.CommandLine;
using System.Text;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines.Sessions;
using Ashlar.Agents;
using Ashlar.Doctoring;
using Ashlar.Errors;
using Ashlar.Foreground;
using Ashlar.Output;
using Ashlar.Stack;

namespace Ashlar.Commands;

/// <summary><c>ashlar up</c>.</summary>
internal static class UpCommand
{
    public static Verb Verb { get; } = new("up", VerbGroup.Start, "Bring the whole stack up, or bring it up to date", Create,
        "ashlar up", "ashlar up examples/storefront", "ashlar up --detach", "ashlar up --dry-run");

    private static Command Create(Cli cli)
    {
        var path = new Argument<string?>("PATH")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "folder of the stack, or its file; default: this folder",
        };
        var detach = new Option<bool>("--detach", "-d") { Description = "return when the stack is healthy; it goes on running. Without it, Ctrl-C stops a stack that this command started, and only leaves the view of one that ran before" };
        var dryRun = new Option<bool>("--dry-run") { Description = "print the steps that would be taken, take none" };
        return VerbCall.Command(cli, Verb, [path, detach, dryRun], async (call, cancellation) =>
        {
            var file = Path.GetFullPath(call.Value(path) ?? call.StackPath ?? ".", cli.Folder);
            if (!call.Value(dryRun) && Directory.Exists(file) && !StackLocation.HoldsFile(file) && RemoteProgram.MachineOf(file) is { } machine)
            {
                return await JoinedAsync(call, file, machine, cancellation);
            }

            var stack = StackFile.Require(call, file);
            StateFolder.Of(stack.Directory).RequireOurs();
            if (call.Value(dryRun)) return await DryRunAsync(call, stack, file, cancellation);
            var arguments = new UpArguments(file);
            await CheckoutEngines.InstallAsync(call, stack, cancellation);
            if (!call.Value(detach) && !call.Json)
            {
                using var session = new ForegroundSession(cli, stack.Directory);
                return await session.RunAsync(arguments, cancellation);
            }

            return await DetachAsync(call, stack.Directory, arguments, cancellation);
        });
    }

    // The file is on another machine; here is only something to be started, as after a boot.
    private static async Task<int> JoinedAsync(VerbCall call, string folder, string machine, CancellationToken cancellation)
    {
        using var progress = new Progress(call.Cli.Error, call.Cli.Time, "starting", silent: call.Json);
        await using var agent = await call.Cli.Agents.EnsureRunningAsync(folder, progress.Step, cancellation);
        progress.Dispose();
        return call.Done("up", $"{machine} runs what the stack has for it; what is to be released comes from the machine with the stack's file");
    }

    private static async Task<int> DetachAsync(VerbCall call, string folder, UpArguments arguments, CancellationToken cancellation)
    {
        var cli = call.Cli;
        using var progress = new Progress(cli.Error, cli.Time, "starting", silent: call.Json);
        using var interrupts = new Interrupts();
        var begin = StackLaunch.BeginAsync(cli.Agents, folder, progress.Step, cancellation);
        if (await Task.WhenAny(begin, interrupts.First) != begin) return await LeaveAsync();
        var launch = await begin;
        await using var agent = launch.Agent;
        try
        {
            var up = launch.UpAsync(arguments, progress.Step, cancellation);
            if (await Task.WhenAny(up, interrupts.First) != up) return await LeaveAsync();
            var result = await up;
            progress.Dispose();
            call.Print(result, CliJson.Agent.UpResult, UpReport.Render);
            return ExitCodes.Ok;
        }
        catch (AshlarException e)
        {
            progress.Dispose();
            var tells = e.Error.Message.Contains('\n'); // the last lines of the instance already
            if (!call.Json && !tells) await SayUnhealthyAsync(cli, folder, cancellation);
            await launch.UndoAsync(cancellation);
            throw;
        }

        // The order is the agent's: it is carried out without us.
        async Task<int> LeaveAsync()
        {
            progress.Dispose();
            cli.Error.Line(await LeavingNote.OfAsync(cli.Agents, folder));
            return await interrupts.First;
        }
    }

    // Which instance is not healthy, and what it said last.
    private static async Task SayUnhealthyAsync(Cli cli, string folder, CancellationToken cancellation)
    {
        if (await StackLaunch.TryStatusAsync(cli.Agents, folder, cancellation) is not { } report) return;
        var text = new StringBuilder();
        foreach (var instance in HealthSummary.Unhealthy(report)) HealthSummary.Troubled(text, cli.Error, instance);
        cli.Error.Write(text.ToString());
    }

    // Nothing is started for it, and a stack that keeps nothing yet has no folder afterwards either.
    private static async Task<int> DryRunAsync(VerbCall call, StackDefinition stack, string file, CancellationToken cancellation)
    {
        var installed = CheckoutEngines.Preview(call, stack);
        var arguments = new UpArguments(file, Environment.ProcessPath);
        while (true)
        {
            if (await PlanAsync(call.Cli, stack.Directory, arguments, cancellation) is { } plan)
            {
                call.Print(new PlanResult([.. installed, .. plan.Steps]), CliJson.Agent.PlanResult, (_, result) =>
                    result.Steps.IsEmpty ? "nothing to do\n" : string.Concat(result.Steps.Select(step => step + "\n")));
                return ExitCodes.Ok;
            }

            // At this moment an agent starts, or another command has the stack open.
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation);
        }
    }

    private static async Task<PlanResult?> PlanAsync(Cli cli, string folder, UpArguments arguments, CancellationToken cancellation)
    {
        if (await cli.Agents.FindAsync(folder, cancellation) is not { } agent) return await StoppedStack.PlanAsync(folder, arguments, cli.Time);
        await using (agent)
        {
            return await agent.AskAsync(AgentVerbs.Plan, arguments, AgentJson.Default.UpArguments, AgentJson.Default.PlanResult, null, cancellation)
                ?? new PlanResult([]);
        }
    }
}
