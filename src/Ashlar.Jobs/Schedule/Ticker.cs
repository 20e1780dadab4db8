using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Runner;
using Ashlar.Stack;

namespace Ashlar.Jobs.Schedule;

/// <summary>Fires schedules. That a time has been fired is a row with a unique key, written with the job: however many try, there is one.</summary>
internal sealed class Ticker(ImmutableArray<ScheduleDefinition> schedules, ClaimStore store, IDispatchEvents events)
{
    // A time that is this late is one that was missed, and the catch-up policy decides.
    private static readonly TimeSpan Punctual = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CatchUpWindow = TimeSpan.FromDays(1);
    private const int MostCaughtUp = 1000;
    private readonly Dictionary<string, CronClock> _clocks = schedules.ToDictionary(s => s.Name, s => new CronClock(CronExpression.Parse(s.Cron), TimeZoneInfo.FindSystemTimeZoneById(s.Zone)));
    private Dictionary<string, (DateTime Last, bool Paused)>? _last;
    private DateTime _looked;

    /// <summary>Name of the queue that a schedule's own command has.</summary>
    public static string QueueOf(ScheduleDefinition schedule) => schedule.Queue ?? $"schedule.{schedule.Name}";

    /// <summary>Fires what is due; gives the time until it is to be called again.</summary>
    public async Task<TimeSpan> TickAsync(CancellationToken cancellation)
    {
        if (schedules.IsEmpty)
        {
            return TimeSpan.FromMinutes(1);
        }

        var now = await store.NowAsync(cancellation);
        if (_last is null || (now - _looked).Duration() > TimeSpan.FromSeconds(10))
        {
            _last = _last is null
                ? await store.SchedulesAsync(schedules.Select(s => (s.Name, $"{s.Cron} {s.Zone}")), cancellation)
                : await store.LastTicksAsync(cancellation);
            _looked = now;
        }

        var next = now + TimeSpan.FromSeconds(10);
        foreach (var schedule in schedules)
        {
            if (!_last.TryGetValue(schedule.Name, out var last) || last.Paused)
            {
                continue;
            }

            foreach (var at in Due(schedule, last.Last, now))
            {
                await FireAsync(schedule, at, cancellation);
                _last[schedule.Name] = (at, false);
            }

            // What is behind now has been fired, or was left out for good.
            var from = _last[schedule.Name].Last > now ? _last[schedule.Name].Last : now;
            if (_clocks[schedule.Name].Next(from) is { } soon && soon < next)
            {
                next = soon;
            }
        }

        return next - now;
    }

    /// <summary>The times to fire now, by the catch-up policy.</summary>
    internal IReadOnlyList<DateTime> Due(ScheduleDefinition schedule, DateTime last, DateTime now)
    {
        var clock = _clocks[schedule.Name];
        var from = last > now - CatchUpWindow ? last : now - CatchUpWindow;
        var times = clock.Between(from, now, schedule.CatchUp == CatchUpPolicy.All ? MostCaughtUp : 1);
        return schedule.CatchUp == CatchUpPolicy.None ? [.. times.Where(at => now - at <= Punctual)] : times;
    }

    private async Task FireAsync(ScheduleDefinition schedule, DateTime at, CancellationToken cancellation)
    {
        var payload = schedule.Payload ?? JsonSerializer.Serialize(new Dictionary<string, string>
        {
            ["schedule"] = schedule.Name,
            ["at"] = at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        });
        if (await store.FireAsync(schedule.Name, at, QueueOf(schedule), payload, schedule.Overlap == OverlapPolicy.Skip, cancellation))
        {
            events.Fired(schedule.Name, at);
        }
    }
}
