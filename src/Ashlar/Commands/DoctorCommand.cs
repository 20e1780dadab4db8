using System.CommandLine;
using Ashlar.Catalog;
using Ashlar.Agent.Hosting;
using Ashlar.Agents;
using Ashlar.Delivery.Plans;
using Ashlar.Doctoring;
using Ashlar.Output;
using Ashlar.Stack;

namespace Ashlar.Commands;

/// <summary><c>ashlar doctor</c>.</summary>
internal static class DoctorCommand
{
    public static Verb Verb { get; } = new("doctor", VerbGroup.Start, "Check that this machine can run the stack", Create,
        "ashlar doctor", "ashlar doctor --fix", "ashlar doctor --json");

    private static Command Create(Cli cli)
    {
        var fix = new Option<bool>("--fix") { Description = "install what is missing with apt-get (as root); daemons of packages are not started" };
        return VerbCall.Command(cli, Verb, [fix], async (call, cancellation) =>
        {
            var checks = await CheckAsync(call, cancellation);
            var packages = checks.Where(check => check.Verdict == Verdict.Failed).Select(check => check.Package).OfType<string>().Distinct().ToList();
            var installed = call.Value(fix) ? packages : [];
            if (installed.Count > 0)
            {
                using var progress = new Progress(cli.Error, cli.Time, "installing", silent: call.Json);
                await PackageInstaller.InstallAsync(installed, progress, cancellation);
                checks = await CheckAsync(call, cancellation);
            }

            var failed = checks.Count(check => check.Verdict == Verdict.Failed);
            call.Print(new DoctorReport(failed == 0, [.. checks], [.. installed]), CliJson.Default.DoctorReport, Render);
            return failed == 0 ? ExitCodes.Ok : call.Json ? ExitCodes.NotReady : throw CliErrors.NotReady(failed);
        });
    }

    private static async Task<List<Check>> CheckAsync(VerbCall call, CancellationToken cancellation)
    {
        string? folder = null;
        try
        {
            folder = call.StackFolder;
        }
        catch (Errors.AshlarException) when (call.StackPath is null)
        {
            // No stack here: the machine alone is looked at.
        }

        var checks = MachineChecks.All(folder ?? call.Cli.Folder).ToList();
        if (folder is null) return checks;
        var loaded = StackLoader.Load(folder);
        checks.Add(loaded.Stack is null
            ? new("stack file", Verdict.Failed, $"{loaded.Errors.Count()} mistakes", "ashlar check says them")
            : Check.Good("stack file", loaded.Stack.Name));
        if (loaded.Stack is { } stack)
        {
            var running = await StackLaunch.TryStatusAsync(call.Cli.Agents, folder, cancellation);
            checks.AddRange(StackChecks.All(stack, running, await ProgramsAsync(call, stack, running, cancellation)));
        }

        return checks;
    }

    private static async Task<ServicePrograms> ProgramsAsync(
        VerbCall call, StackDefinition stack, StatusReport? running, CancellationToken cancellation)
    {
        try
        {
            var agent = running is null ? ServiceEnvironment.FromAgent() : ServicePrograms.OfAgent(running.Agent.Pids[0]);
            var configVars = (await ConfigCommand.ReadAsync(call, cancellation)).Vars;
            return new ServicePrograms(stack, agent, configVars, ServiceUser.Choose(stack, stack.Directory, Environment.ProcessPath!));
        }
        catch (Errors.AshlarException)
        {
            return ServicePrograms.Here(stack); // what is wrong with agent, store or user, another check says
        }
    }

    /// <summary>One line a check, and beneath it what to do.</summary>
    internal static string Render(Screen screen, DoctorReport report)
    {
        var table = new Table(new Column(""), new(""), new(""));
        foreach (var check in report.Checks)
        {
            table.Add(check.Verdict switch
            {
                Verdict.Good => new Cell("ok", Ink.Good),
                Verdict.Warning => new Cell("warn", Ink.Warning),
                _ => new Cell("fail", Ink.Bad),
            }, check.Name, check.Finding);
            if (check.Next.Length > 0) table.Add("", "", new Cell("→ " + check.Next, Ink.Strong));
        }

        return table.Render(screen);
    }
}
