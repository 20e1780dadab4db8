using Ashlar.Stack;

namespace Ashlar.Jobs.Schedule;

/// <summary>
/// The times of a cron expression in a zone. What a change of the clocks leaves out is done once when it is over; what it brings twice is done once, the
/// first time, unless minute or hour are given by <c>*</c> or a step: those are intervals, and go on in both. Hours by <c>*</c> need no making up.
/// </summary>
internal sealed class CronClock(CronExpression expression, TimeZoneInfo zone)
{
    // Four years may lie between two 29ths of February, eight around 2100; with a day of the week besides, up to forty.
    private const int MostDays = 366 * 41;
    private static readonly TimeSpan Around = TimeSpan.FromHours(36);

    /// <summary>The first time after a time; null: there is none.</summary>
    public DateTime? Next(DateTime after)
    {
        var day = Local(after).Date.AddDays(-1);
        for (var i = 0; i < MostDays && day < DateTime.MaxValue.Date.AddDays(-3); i++, day = day.AddDays(1))
        {
            // What a gap puts off may lie on the day after.
            var found = OnDay(day).Where(at => at > after).Select(at => (DateTime?)at).Min();
            if (found is not null)
            {
                return OnDay(day.AddDays(1)).Where(at => at > after).Select(at => (DateTime?)at).Append(found).Min();
            }
        }

        return null;
    }

    /// <summary>The times after a time up to another, the last so many.</summary>
    public IReadOnlyList<DateTime> Between(DateTime after, DateTime until, int most)
    {
        var times = new Queue<DateTime>();
        for (var at = Next(after); at <= until; at = Next(at.Value))
        {
            times.Enqueue(at.Value);
            if (times.Count > most)
            {
                times.Dequeue();
            }
        }

        return [.. times];
    }

    private IEnumerable<DateTime> OnDay(DateTime day)
    {
        if (!expression.MatchesDay(day))
        {
            yield break;
        }

        foreach (var hour in expression.Hours)
        {
            foreach (var minute in expression.Minutes)
            {
                foreach (var at in Instants(day.AddHours(hour).AddMinutes(minute)))
                {
                    yield return at;
                }
            }
        }
    }

    // Not by IsInvalidTime and its like: they know nothing of zones that change their day (Samoa, 30 December 2011).
    private IEnumerable<DateTime> Instants(DateTime local)
    {
        var before = OffsetAt(local - Around);
        var after = OffsetAt(local + Around);
        var first = Instant(local - before);
        var second = Instant(local - after);
        var firstIs = OffsetAt(first) == before;
        var secondIs = OffsetAt(second) == after;
        if (!firstIs && !secondIs)
        {
            if (!expression.EveryHour)
            {
                yield return Change(second, first, before);
            }

            yield break;
        }

        if (firstIs)
        {
            yield return first;
        }

        if (secondIs && second != first && (!firstIs || expression.IsInterval))
        {
            yield return second;
        }
    }

    // The instant at which the offset is no longer what it was.
    private DateTime Change(DateTime from, DateTime to, TimeSpan before)
    {
        while (to - from > TimeSpan.FromSeconds(1))
        {
            var middle = from + TimeSpan.FromSeconds(Math.Floor((to - from).TotalSeconds / 2));
            (from, to) = OffsetAt(middle) == before ? (middle, to) : (from, middle);
        }

        return to;
    }

    private DateTime Local(DateTime instant) => instant + OffsetAt(instant);

    private TimeSpan OffsetAt(DateTime instant) => zone.GetUtcOffset(Instant(instant));

    private static DateTime Instant(DateTime time) => DateTime.SpecifyKind(time, DateTimeKind.Utc);
}
