using System.CommandLine;
using System.Globalization;
using System.Text;
using Ashlar.Agent;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Agents;
using Ashlar.Engines.Etcd;
using Ashlar.Errors;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar state</c>, <c>state backup</c>, <c>state restore</c>.</summary>
internal static class StateCommand
{
    private static readonly string LostCode = AgentErrors.ConnectionLost("").Error.Code;
    private static readonly TimeSpan RestorePatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(500);

    public static Verb Verb { get; } = new("state", VerbGroup.Run, "Show how the store of the stack's state is; back it up, restore it", Create,
        "ashlar state", "ashlar state --json", "ashlar state backup /backup/state.db", "ashlar state restore /backup/state.db --yes");

    private static Command Create(Cli cli)
    {
        var to = new Argument<string?>("FILE") { Arity = ArgumentArity.ZeroOrOne, Description = "where to; default: state and the time, in .ashlar/backups" };
        var force = new Option<bool>("--force") { Description = "replace a file that is there" };
        var from = new Argument<string>("FILE") { Description = "made by state backup" };
        var yes = new Option<bool>("--yes") { Description = "do it" };
        return VerbCall.Command(cli, Verb,
        [
            VerbCall.Command(cli, "backup", "write the state into one file, with all config vars, and check it", [to, force],
                (call, cancellation) => BackupAsync(call, call.Value(to), call.Value(force), cancellation)),
            VerbCall.Command(cli, "restore", "put a backup in the state's place; what is there is kept under another name", [from, yes],
                (call, cancellation) => RestoreAsync(call, Path.GetFullPath(call.Value(from)!, cli.Folder), call.Value(yes), cancellation)),
        ], ShowAsync);
    }

    private static async Task<int> ShowAsync(VerbCall call, CancellationToken cancellation)
    {
        var result = await call.RunningOrNotAsync(agent => AskAsync(agent, cancellation), stack => stack.StateAsync(cancellation), null, cancellation);
        call.Print(result, CliJson.Agent.StateResult, Render);
        return result.Available ? ExitCodes.Ok : ExitCodes.Unhealthy;
    }

    private static async Task<int> BackupAsync(VerbCall call, string? named, bool force, CancellationToken cancellation)
    {
        var path = named is not null
            ? Path.GetFullPath(named, call.Cli.Folder)
            : Path.Combine(Postgres.Administration.Backup.Folder(call.StackFolder), string.Create(CultureInfo.InvariantCulture, $"state-{call.Cli.Time.GetUtcNow().UtcDateTime:yyyyMMdd-HHmmss}.db"));
        var arguments = new StateFileArguments(path, force);
        var result = await call.RunningOrNotAsync(
            async agent => await agent.AskAsync(
                AgentVerbs.StateBackup, arguments, AgentJson.Default.StateFileArguments, AgentJson.Default.StateBackupResult, null, cancellation) ?? throw AgentErrors.ConnectionLost("state backup"),
            stack => stack.BackupStateAsync(arguments, cancellation), null, cancellation);
        call.Print(result, CliJson.Agent.StateBackupResult, (_, r) =>
            $"{r.Path}: {Units.Bytes(r.Bytes)}, revision {r.Revision.ToString(CultureInfo.InvariantCulture)}, checked\nit holds every config var: keep it where nobody else reads it\n");
        return ExitCodes.Ok;
    }

    private static async Task<int> RestoreAsync(VerbCall call, string path, bool yes, CancellationToken cancellation)
    {
        if (!yes) throw EtcdErrors.RestoreNotNow("all that was ordered since the backup would be gone, on all machines", $"ashlar state restore {path} --yes does it");
        var machine = MachineFile.Load(StateFolder.Of(call.StackFolder).MachineFile);
        if (machine is null)
        {
            var (kept, done) = await StateFile.RestoreAsync(call.StackFolder, path, call.Cli.Time);
            if (!done) throw EtcdErrors.RestoreNotNow("the stack runs, and its agent has the state open", "ashlar down, then repeat it, then ashlar up");
            call.Print(new DoneReport("state restore", path), CliJson.Default.DoneReport, (_, _) => $"restored{(kept is null ? "" : $"; what was there is kept as {kept}")}\nashlar up brings the stack up with it\n");
            return ExitCodes.Ok;
        }

        using var progress = new Progress(call.Cli.Error, call.Cli.Time, "restore", silent: call.Json);
        await using (var agent = await call.AgentAsync(cancellation))
        {
            try
            {
                await agent.AskAsync(
                    AgentVerbs.StateRestore, new StateFileArguments(path), AgentJson.Default.StateFileArguments, CliJson.Default.DoneReport, progress.Step, cancellation);
            }
            catch (AshlarException e) when (e.Error.Code == LostCode)
            {
                // It has started anew in place.
            }
        }

        var result = await RestoredAsync(call, machine.Epoch, cancellation);
        progress.Dispose();
        call.Print(result, CliJson.Agent.StateResult, Render);
        return result.Available ? ExitCodes.Ok : ExitCodes.Unhealthy;
    }

    /// <summary>Waits until the restored state can be read, or says how it is after some minutes.</summary>
    private static async Task<StateResult> RestoredAsync(VerbCall call, int epoch, CancellationToken cancellation)
    {
        for (var began = call.Cli.Time.GetTimestamp(); ; await Task.Delay(Between, call.Cli.Time, cancellation))
        {
            try
            {
                await using var agent = await call.AgentAsync(cancellation);
                var result = await AskAsync(agent, cancellation);
                if ((result.Available && result.Epoch > epoch && !result.Members.IsEmpty) || call.Cli.Time.GetElapsedTime(began) > RestorePatience)
                {
                    return result;
                }
            }
            catch (AshlarException e) when (e.Error.Code == LostCode && call.Cli.Time.GetElapsedTime(began) < RestorePatience)
            {
            }
        }
    }

    private static async Task<StateResult> AskAsync(IAgentSession agent, CancellationToken cancellation) =>
        await agent.AskAsync(AgentVerbs.State, AgentJson.Default.StateResult, null, cancellation) ?? throw AgentErrors.ConnectionLost(AgentVerbs.State);

    private static string Render(Screen screen, StateResult result)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{result.Store}, {screen.Paint(result.Available ? "available" : "not available", result.Available ? Ink.Good : Ink.Bad)}, revision {result.Revision}, {Units.Bytes(result.Size)}");
        text.Append(result.Quota > 0 ? $" of {Units.Bytes(result.Quota)}" : "").Append(result.Epoch > 1 ? string.Create(CultureInfo.InvariantCulture, $", restored {result.Epoch - 1} times") : "").Append('\n');
        if (!result.Members.IsEmpty)
        {
            var table = new Table(new("MACHINE"), new("INSTANCE"), new("ADDRESS"), new("ROLE"), new("STATE"), new("SIZE", Right: true), new("IN USE", Right: true), new("VERSION"));
            foreach (var member in result.Members)
            {
                table.Add(
                    member.Machine, member.Instance, member.Address, member.Role, new Cell(member.State, member.State == "healthy" ? Ink.Good : Ink.Warning),
                    Units.Bytes(member.Size), Units.Bytes(member.InUse), member.Version);
            }

            text.Append(table.Render(screen));
        }

        text.Append(result.Spare).Append('\n');
        foreach (var alarm in result.Alarms) text.Append(ErrorText.Warning(screen, alarm));
        return text.Append(result.Error is { } error ? ErrorText.Warning(screen, error) : "").ToString();
    }
}
