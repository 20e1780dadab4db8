using System.Globalization;
using Ashlar.Jobs.Schedule;
using Ashlar.Stack;

namespace Ashlar.Jobs.Tests.Schedule;

/// <summary>Times by which clocks change: what they leave out is made up for once, what they bring twice is done once, unless it is an interval.</summary>
public sealed class CronClockTests
{
    [Theory]

    // Gap: Berlin, 29 March 2026, 02:00 to 03:00.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00", "2026-03-30T00:30")]
    [InlineData("0,30 2 * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:00", "2026-03-30T00:00")]
    [InlineData("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00", "2026-03-30T01:00")]
    [InlineData("30 * * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T00:30", "2026-03-29T01:30")]
    [InlineData("*/20 2 * * *", "Europe/Berlin", "2026-03-29T00:00", "2026-03-29T01:00", "2026-03-30T00:00")]

    // Overlap: Berlin, 25 October 2026, 02:00 to 03:00 twice.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30", "2026-10-26T01:30")]
    [InlineData("*/30 2 * * *", "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-26T01:00")]
    [InlineData("30 * * * *", "Europe/Berlin", "2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30")]

    // New York: gap on 8 March, overlap on 1 November 2026.
    [InlineData("15 2 * * *", "America/New_York", "2026-03-07T12:00", "2026-03-08T07:00", "2026-03-09T06:15")]
    [InlineData("15 1 * * *", "America/New_York", "2026-10-31T12:00", "2026-11-01T05:15", "2026-11-02T06:15")]

    // A gap at midnight: Beirut, 29 March 2026; Santiago, 6 September 2026.
    [InlineData("0 0 * * *", "Asia/Beirut", "2026-03-28T00:00", "2026-03-28T22:00", "2026-03-29T21:00")]
    [InlineData("30 0 * * *", "America/Santiago", "2026-09-05T12:00", "2026-09-06T04:00", "2026-09-07T03:30")]

    // Half an hour: Lord Howe, gap on 4 October 2026, 02:00 to 02:30.
    [InlineData("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00", "2026-10-03T15:30", "2026-10-04T15:10")]

    // No change at all, and a day that never was: Samoa, 30 December 2011.
    [InlineData("30 2 * * *", "Asia/Kolkata", "2026-03-28T22:00", "2026-03-29T21:00", "2026-03-30T21:00")]
    [InlineData("0 12 * * *", "Pacific/Apia", "2011-12-29T23:00", "2011-12-30T10:00", "2011-12-30T22:00")]
    [InlineData("0 0 29 2 *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00", "2032-02-29T00:00")]
    [InlineData("0 0 13 * fri", "UTC", "2026-11-10T00:00", "2026-11-13T00:00", "2026-11-20T00:00")]
    public void It_fires_at_these_times_next(string cron, string zone, string after, params string[] expected)
    {
        var clock = new CronClock(CronExpression.Parse(cron), TimeZoneInfo.FindSystemTimeZoneById(zone));
        var at = Time(after);
        foreach (var next in expected)
        {
            at = clock.Next(at)!.Value;
            Assert.Equal(Time(next), at);
        }
    }

    [Theory]
    [InlineData("* * * *", "4 fields")]
    [InlineData("60 * * * *", "minute")]
    [InlineData("* * 31 feb *", "no year")]
    [InlineData("*/0 * * * *", "step")]
    [InlineData("5-1 * * * *", "ends before")]
    [InlineData("* * * * fry", "name such as")]
    [InlineData("@noon", "known words")]
    [InlineData("1,,2 * * * *", "minute")]
    public void What_is_wrong_is_said(string cron, string says)
    {
        Assert.False(CronExpression.TryParse(cron, out _, out var problem));
        Assert.Contains(says, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_is_written_is_read_or_refused() => Fuzz(2_000);

    [Fact]
    [Trait("Length", "Full")]
    public void Whatever_is_written_is_read_or_refused_for_long() => Fuzz(100_000);

    private static void Fuzz(int rounds)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        const string Signs = "0123456789*/,- \tadefijlmnorstuvwy@LW#?";
        for (var i = 0; i < rounds; i++)
        {
            var text = random.Next(2) == 0
                ? new string([.. Enumerable.Range(0, random.Next(30)).Select(_ => Signs[random.Next(Signs.Length)])])
                : string.Join(' ', Enumerable.Range(0, 5).Select(_ => random.Next(3) switch { 0 => "*", 1 => $"{random.Next(70)}", _ => $"{random.Next(30)}-{random.Next(60)}/{random.Next(1, 9)}" }));
            try
            {
                if (CronExpression.TryParse(text, out var cron, out var problem))
                {
                    var next = new CronClock(cron!, TimeZoneInfo.Utc).Next(Time("2026-11-22T12:00"));
                    Assert.True(next is not null && next > Time("2026-11-22T12:00") && next.Value.Second == 0);
                    Assert.True(cron!.MatchesDay(next.Value.Date) && cron.Hours.Contains(next.Value.Hour) && cron.Minutes.Contains(next.Value.Minute));
                }
                else
                {
                    Assert.NotEmpty(problem!);
                }
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}, '{text}': {e}");
            }
        }
    }

    private static DateTime Time(string text) => DateTime.ParseExact(text, "yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
}
