using System.Collections.Immutable;
using System.CommandLine;
using Ashlar.Output;
using Ashlar.Postgres.Administration;

namespace Ashlar.Commands;

/// <summary><c>ashlar pg ps</c>.</summary>
internal static class PgSessions
{
    public static Command Create(Cli cli) => VerbCall.Command(cli, "ps", "list the sessions, those that do something first", [], RunAsync);

    private static async Task<int> RunAsync(VerbCall call, CancellationToken cancellation)
    {
        var sessions = await ClusterQuestions.SessionsAsync(await PgCommand.AccessAsync(call, cancellation), cancellation);
        call.Print(sessions, CliJson.Default.ImmutableArraySessionReport, Render);
        return ExitCodes.Ok;
    }

    private static string Render(Screen screen, ImmutableArray<SessionReport> sessions)
    {
        if (sessions.IsEmpty) return "no sessions\n";
        var table = new Table(new("PID", Right: true), new("USER"), new("APPLICATION"), new("STATE"), new("FOR", Right: true), new("WAITS FOR"), new("QUERY"));
        foreach (var s in sessions) table.Add($"{s.Pid}", s.User, s.Application, s.State, $"{s.Seconds:0.0}s", s.WaitsFor, OneLine(s.Query));
        return table.Render(screen);
    }

    /// <summary>A statement on one line, without what a terminal would obey.</summary>
    internal static string OneLine(string query) => string.Join(' ', new string([.. query.Select(c => char.IsControl(c) ? ' ' : c)]).Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
