using System.CommandLine;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Output;
using Ashlar.Processes;
using Ashlar.Stack;
using Ashlar.Systemd;

namespace Ashlar.Commands;

/// <summary><c>ashlar service</c>.</summary>
internal static class ServiceCommand
{
    public static Verb Verb { get; } = new("service", VerbGroup.Settings, "Start the stack when the machine boots (systemd)", Create,
        "ashlar service install", "ashlar service install --print", "ashlar service status", "ashlar service uninstall");

    private static Command Create(Cli cli)
    {
        var print = new Option<bool>("--print") { Description = "print the unit, install nothing" };
        var output = new Option<string?>("--output", "-o") { Description = "write the unit to a file, install nothing", HelpName = "FILE" };
        return VerbCall.Command(cli, Verb,
        [
            VerbCall.Command(cli, "install", "write the unit, enable it, and start the agent under it", [print, output],
                (call, cancellation) => InstallAsync(call, call.Value(print), call.Value(output), cancellation)),
            VerbCall.Command(cli, "uninstall", "remove it; the stack goes on", [], UninstallAsync),
            VerbCall.Command(cli, "status", "what systemd says of it", [], StatusAsync),
        ], StatusAsync);
    }

    private static async Task<int> InstallAsync(VerbCall call, bool print, string? output, CancellationToken cancellation)
    {
        var unit = UnitOf(call);
        if (print)
        {
            call.Print(new UnitReport(unit.Name, Path(unit), unit.Render()), CliJson.Default.UnitReport, (_, report) => report.Text);
            return ExitCodes.Ok;
        }

        if (output is not null)
        {
            await File.WriteAllTextAsync(System.IO.Path.GetFullPath(output, call.Cli.Folder), unit.Render(), cancellation);
            return call.Done("service", $"wrote {output}; it belongs to {Path(unit)}");
        }

        RequireSystemd();
        var manager = new SystemManager(unit.OfSystem);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path(unit))!);
        await File.WriteAllTextAsync(Path(unit), unit.Render(), cancellation);
        await manager.RequireAsync(cancellation, "daemon-reload");
        await manager.RequireAsync(cancellation, "enable", unit.Name);
        var linger = unit.OfSystem ? "" : "; loginctl enable-linger lets it run without a login";
        if (await call.Cli.Agents.FindAsync(call.StackFolder, cancellation) is { } running)
        {
            await running.DisposeAsync();
            return call.Done("service", $"installed {unit.Name}; the agent that runs now goes on, systemd takes over at the next boot "
                + $"or after: ashlar down && systemctl start {unit.Name}{linger}");
        }

        await manager.RequireAsync(cancellation, "start", unit.Name);
        return call.Done("service", $"installed and started {unit.Name}{linger}");
    }

    private static async Task<int> UninstallAsync(VerbCall call, CancellationToken cancellation)
    {
        var unit = UnitOf(call);
        if (!File.Exists(Path(unit))) return call.Done("service", $"{unit.Name} is not installed");
        if (SystemManager.IsPresent) await new SystemManager(unit.OfSystem).RequireAsync(cancellation, "disable", unit.Name);
        File.Delete(Path(unit));
        if (SystemManager.IsPresent) await new SystemManager(unit.OfSystem).RequireAsync(cancellation, "daemon-reload");
        return call.Done("service", $"removed {unit.Name}; what runs goes on");
    }

    private static async Task<int> StatusAsync(VerbCall call, CancellationToken cancellation)
    {
        var unit = UnitOf(call);
        var installed = File.Exists(Path(unit));
        var state = !installed ? "not installed"
            : !SystemManager.IsPresent ? "installed, but systemd does not run this machine"
            : $"installed, {(await new SystemManager(unit.OfSystem).RunAsync(cancellation, "is-enabled", unit.Name)).Text}, "
                + (await new SystemManager(unit.OfSystem).RunAsync(cancellation, "is-active", unit.Name)).Text;
        call.Done("service", $"{unit.Name}: {state}");
        return installed ? ExitCodes.Ok : ExitCodes.NotRunning;
    }

    private static UnitFile UnitOf(VerbCall call)
    {
        var folder = call.StackFolder;
        var name = !StackLocation.HoldsFile(folder) && MachineFile.Load(StateFolder.Of(folder).MachineFile) is { } joined
            ? joined.Stack
            : StackLoader.Load(folder).Require().Name;
        var ofSystem = Environment.IsPrivilegedProcess;
        return new UnitFile(
            name, folder, ProgramOf(call.Cli), ofSystem, RuntimeRoot.ToBeTold(), SearchPath.Of(call.Cli.Environment("PATH"), ofSystem));
    }

    // A checkout keeps only its last few builds, so the unit names the link to the newest.
    private static string ProgramOf(Cli cli) =>
        cli.Environment("ASHLAR_CHECKOUT") is { Length: > 0 } checkout
        && System.IO.Path.Combine(checkout, ".build/ashlar/ashlar") is var newest && File.Exists(newest)
            ? newest
            : Environment.ProcessPath!;

    private static string Path(UnitFile unit) => unit.PathIn(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));

    private static void RequireSystemd()
    {
        if (SystemManager.IsPresent) return;
        var first = File.Exists("/proc/1/comm") ? File.ReadAllText("/proc/1/comm").Trim() : "unknown";
        throw CliErrors.NotPossible($"systemd does not run this machine (process 1 is {first}).",
            "--print shows the unit, --output FILE writes it; or let your own supervisor run: ashlar agent --stack PATH");
    }
}

/// <summary>What <c>service install --print --json</c> writes.</summary>
/// <param name="Name">Name of the unit.</param>
/// <param name="Path">Where it belongs.</param>
/// <param name="Text">Its text.</param>
internal sealed record UnitReport(string Name, string Path, string Text);
