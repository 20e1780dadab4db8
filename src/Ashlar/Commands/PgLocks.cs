using System.Collections.Immutable;
using System.CommandLine;
using Ashlar.Output;
using Ashlar.Postgres.Administration;

namespace Ashlar.Commands;

/// <summary><c>ashlar pg locks</c>.</summary>
internal static class PgLocks
{
    public static Command Create(Cli cli) => VerbCall.Command(cli, "locks", "list the sessions that wait for another's lock", [], RunAsync);

    private static async Task<int> RunAsync(VerbCall call, CancellationToken cancellation)
    {
        var locks = await ClusterQuestions.LocksAsync(await PgCommand.AccessAsync(call, cancellation), cancellation);
        call.Print(locks, CliJson.Default.ImmutableArrayLockReport, Render);
        return ExitCodes.Ok;
    }

    private static string Render(Screen screen, ImmutableArray<LockReport> locks)
    {
        if (locks.IsEmpty) return "nobody waits for a lock\n";
        var table = new Table(new("PID", Right: true), new("WAITS", Right: true), new("FOR"), new("HELD BY"), new("QUERY"));
        foreach (var l in locks)
        {
            table.Add($"{l.Pid}", $"{l.Seconds:0.0}s", l.Lock, string.Join(", ", l.BlockedBy), PgSessions.OneLine(l.Query));
            table.Add("", "", "", $"{l.BlockerState}:", PgSessions.OneLine(l.BlockerQuery));
        }

        return table.Render(screen);
    }
}
