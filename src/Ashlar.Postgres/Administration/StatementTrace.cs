using System.Collections.Immutable;
using System.Diagnostics;
using Ashlar.Catalog;
using Npgsql;

namespace Ashlar.Postgres.Administration;

/// <summary>A statement that names a trace.</summary>
/// <param name="Server">The instance that ran it (<c>database.1</c>).</param>
/// <param name="Session">Pid of its session's server process.</param>
/// <param name="Text">The statement, at most 1,000 characters of it.</param>
/// <param name="At">When it began, in milliseconds since the trace did.</param>
/// <param name="Took">Milliseconds; null: it was still running when it was last seen.</param>
public sealed record TracedStatement(string Server, int Session, string Text, double At, double? Took);

/// <summary>
/// The statements of one request, as a server's sessions show them: those whose <c>application_name</c> or text holds the trace's id. A session shows the
/// statement that it runs and afterwards the last one with its times, so the sessions are looked at again and again; of several that a session runs
/// between two looks only the last is seen. A statement that a driver prepares begins anew for the server when it is parsed, bound and run: while a
/// session has not been seen at rest, the same text is the same statement.
/// </summary>
public sealed class StatementTrace : IAsyncDisposable
{
    private const string Look = """
        SELECT pid, left(query, 1000), extract(epoch FROM clock_timestamp() - query_start)::float8 * 1000,
               CASE WHEN state = 'active' THEN NULL ELSE extract(epoch FROM state_change - query_start)::float8 * 1000 END, extract(epoch FROM query_start)::float8
        FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND query_start IS NOT NULL
          AND (position($1 IN application_name) > 0 OR position($1 IN query) > 0)
        """;

    private static readonly TimeSpan _between = TimeSpan.FromMilliseconds(2);
    private readonly NpgsqlConnection _connection;
    private readonly string _server;
    private readonly NpgsqlCommand _look;
    private readonly List<TracedStatement> _seen = [];
    private readonly Dictionary<int, Sighting> _last = [];
    private readonly CancellationTokenSource _ending = new();
    private readonly Stopwatch _clock;
    private Task _looking = Task.CompletedTask;

    private StatementTrace(NpgsqlConnection connection, string server, string trace, Stopwatch clock)
    {
        (_connection, _server, _clock) = (connection, server, clock);
        _look = new NpgsqlCommand(Look, connection);
        _look.Parameters.AddWithValue(trace);
    }

    /// <summary>Begins to look.</summary>
    /// <param name="access">How to reach the server with all rights.</param>
    /// <param name="server">Its instance.</param>
    /// <param name="trace">The id.</param>
    /// <param name="clock">Time since the trace began; it may be started later.</param>
    /// <param name="cancellation">Ends the connecting.</param>
    /// <exception cref="Errors.AshlarException">ASH7022: it cannot be asked.</exception>
    public static async Task<StatementTrace> StartAsync(TierAccess access, string server, string trace, Stopwatch clock, CancellationToken cancellation)
    {
        var connection = new NpgsqlConnection(Connections.To(access.Port, access.User, access.Password, access.Database));
        try
        {
            await connection.OpenAsync(cancellation);
            var watch = new StatementTrace(connection, server, trace, clock);
            await watch._look.PrepareAsync(cancellation);
            watch._looking = watch.LookForeverAsync();
            return watch;
        }
        catch (Exception e) when (Watching.ServerLink.IsOfTheServer(e))
        {
            await connection.DisposeAsync();
            throw PostgresErrors.Unreachable(server, access.Port, e.Message);
        }
    }

    /// <summary>Looks once more, and gives what was seen, in the order in which it began.</summary>
    public async Task<ImmutableArray<TracedStatement>> EndAsync()
    {
        await _ending.CancelAsync();
        await _looking;
        try
        {
            await LookAsync();
        }
        catch (Exception e) when (Watching.ServerLink.IsOfTheServer(e))
        {
            // What was seen before is still true.
        }

        return [.. _seen.OrderBy(statement => statement.At)];
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _looking;
        await _look.DisposeAsync();
        await _connection.DisposeAsync();
        _ending.Dispose();
    }

    private async Task LookForeverAsync()
    {
        try
        {
            while (true)
            {
                await LookAsync();
                await Task.Delay(_between, _ending.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException || Watching.ServerLink.IsOfTheServer(e))
        {
            // The trace has ended, or the server: what was seen is told.
        }
    }

    private async Task LookAsync()
    {
        await using var reader = await _look.ExecuteReaderAsync();
        var now = _clock.Elapsed.TotalMilliseconds;
        while (await reader.ReadAsync())
        {
            var (session, text, age, start) = (reader.GetInt32(0), reader.GetString(1), reader.GetDouble(2), reader.GetDouble(4));
            double? took = await reader.IsDBNullAsync(3) ? null : reader.GetDouble(3);
            if (_last.TryGetValue(session, out var last) && (last.Start == start || (last.Runs && last.Text == text)))
            {
                _seen[last.Place] = _seen[last.Place] with { Took = took + (start - last.Began) * 1000 };
                _last[session] = last with { Start = start, Runs = took is null };
                continue;
            }

            _last[session] = new Sighting(_seen.Count, text, start, start, took is null);
            _seen.Add(new TracedStatement(_server, session, text, Math.Max(0, now - age), took));
        }
    }

    /// <summary>How a session was last seen.</summary>
    /// <param name="Place">Where its statement lies among those seen.</param>
    /// <param name="Text">The statement.</param>
    /// <param name="Began">When it was first seen to begin, in seconds of the server's clock.</param>
    /// <param name="Start">When what was seen last began.</param>
    /// <param name="Runs">True: it ran.</param>
    private sealed record Sighting(int Place, string Text, double Began, double Start, bool Runs);
}
