using Npgsql;

namespace Ashlar.Jobs.Queue;

/// <summary>The clock's side of it: schedules and their ticks.</summary>
internal sealed partial class ClaimStore
{
    /// <summary>Fires a schedule; true: it was this call that did.</summary>
    public async Task<bool> FireAsync(string schedule, DateTime at, string queue, string payload, bool skip, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Hold());
        batch.BatchCommands.Add(new("select ashlar.fire($1, $2, $3, $4::jsonb, $5)")
        {
            Parameters = { new() { Value = schedule }, new() { Value = at }, new() { Value = queue }, new() { Value = payload }, new() { Value = skip } },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        await reader.NextResultAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return reader.GetBoolean(0);
    }

    /// <summary>Has the schedules there that are declared; gives since when or from which time on each is to be looked at, and which are paused.</summary>
    public async Task<Dictionary<string, (DateTime Last, bool Paused)>> SchedulesAsync(IEnumerable<(string Name, string Text)> declared, CancellationToken cancellation)
    {
        var all = declared.ToArray();
        await using (var command = new NpgsqlCommand("""
            insert into ashlar.schedules as s (name, text) select * from unnest($1, $2)
                on conflict (name) do update set text = excluded.text, declared = true, since = case when s.declared and s.text = excluded.text then s.since else clock_timestamp() end
            """, connection)
        { Parameters = { new() { Value = all.Select(a => a.Name).ToArray() }, new() { Value = all.Select(a => a.Text).ToArray() } } })
        {
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await using (var command = new NpgsqlCommand("update ashlar.schedules set declared = false where declared and name <> all($1)", connection)
        { Parameters = { new() { Value = all.Select(a => a.Name).ToArray() } } })
        {
            await command.ExecuteNonQueryAsync(cancellation);
        }

        return await LastTicksAsync(cancellation);
    }

    /// <summary>From which time on each schedule is to be looked at, and which are paused.</summary>
    public async Task<Dictionary<string, (DateTime Last, bool Paused)>> LastTicksAsync(CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "select name, greatest(since, (select max(at) from ashlar.ticks where schedule = name)), paused from ashlar.schedules where declared", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var last = new Dictionary<string, (DateTime, bool)>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
        {
            last[reader.GetString(0)] = (reader.GetDateTime(1), reader.GetBoolean(2));
        }

        return last;
    }
}
