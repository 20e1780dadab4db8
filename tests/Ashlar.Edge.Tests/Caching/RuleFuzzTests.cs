using System.Text;
using Ashlar.Edge.Caching.Rules;

namespace Ashlar.Edge.Tests.Caching;

/// <summary>Whatever stands in fields, the rules come to an end, within their bounds.</summary>
public sealed class RuleFuzzTests
{
    private static readonly string[] _seeds =
    [
        "max-age=3600, public", "private=\"Set-Cookie, X\", max-age=\"10\"", "no-cache, s-maxage=99999999999, stale-while-revalidate=5",
        "extension=\"max-age=1\\\"\", max-age=2", "max-age =5, no-store", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "max-age=60;a=b;c, x=?1, y=:aGk=:", "bytes=0-5", "bytes=-5", "bytes=5-", "\"a\", W/\"b,c\", \"d",
    ];

    [Theory]
    [InlineData(20_000)]
    public void Nothing_that_a_field_can_hold_breaks_the_rules(int rounds) => Run(rounds);

    [Theory]
    [Trait("Length", "Full")]
    [InlineData(1_000_000)]
    public void Nothing_that_a_field_can_hold_breaks_the_rules_for_long(int rounds) => Run(rounds);

    [Fact]
    public void Age_only_grows_and_what_is_stale_stays_so()
    {
        var random = new Random(9111);
        for (var i = 0; i < 20_000; i++)
        {
            var facts = ResponseFacts.Read(Encoding.ASCII.GetBytes(
                $"Cache-Control: max-age={random.Next(0, 5000)}, stale-while-revalidate={random.Next(0, 100)}\r\nAge: {random.Next(0, 6000)}\r\n"));
            var start = random.NextInt64(0, 1L << 40);
            var freshness = Freshness.Of(in facts, start, random.NextInt64(0, 1L << 33), random.Next(0, 1000), 0);
            var (age, left) = (freshness.AgeAt(start), freshness.FreshFor(start));
            var now = start;
            for (var step = 0; step < 5; step++)
            {
                // Also a clock that would go back: age does not.
                now += random.Next(-1000, 1_000_000);
                var seen = Math.Max(now, start);
                Assert.True(freshness.AgeAt(seen) >= age && freshness.AgeAt(now) >= age, $"round {i}");
                Assert.Equal(freshness.Lifetime - freshness.AgeAt(now), freshness.FreshFor(now));
                Assert.True(freshness.FreshFor(now) <= left, $"round {i}");
            }

            Assert.True(freshness.Expired(now).FreshFor(now) <= 0, $"round {i}");
        }
    }

    [Theory]
    [InlineData("max-age=10", 10)]
    [InlineData("max-age=10, max-age=5", 5)]
    [InlineData("max-age=\"10\"", 10)]
    [InlineData("max-age='10'", 0)]
    [InlineData("max-age=-1", 0)]
    [InlineData("max-age=1.5", 0)]
    [InlineData("MAX-AGE=010", 10)]
    [InlineData("max-age =10", -1)]
    [InlineData("x=\"max-age=10\"", -1)]
    [InlineData("x=\"max-age=10", -1)]
    [InlineData("max-age=99999999999999999999999", CacheDirectives.Forever)]
    public void Max_age_is_read_as_it_is_meant_or_as_nothing(string value, long seconds)
    {
        var directives = new CacheDirectives();
        directives.Read(Encoding.ASCII.GetBytes(value));
        Assert.Equal(seconds, directives.MaxAge);
    }

    [Theory]
    [InlineData("Sun, 06 Nov 1994 08:49:37 GMT", 784111777)]
    [InlineData("Sunday, 06-Nov-94 08:49:37 GMT", 784111777)]
    [InlineData("Sun Nov  6 08:49:37 1994", 784111777)]
    [InlineData("Sun, 31 Feb 1994 08:49:37 GMT", -1)]
    [InlineData("Sun, 06 Nov 1994 24:49:37 GMT", -1)]
    [InlineData("Sun, 06 Nov 1994 08:49:37 UTC", -1)]
    [InlineData("0", -1)]
    public void Dates_are_read_in_their_three_forms_and_in_no_other(string text, long seconds) =>
        Assert.Equal(seconds, HttpDate.TryRead(Encoding.ASCII.GetBytes(text), out var read) ? read : -1);

    private static void Run(int rounds)
    {
        const int Seed = 5861;
        var random = new Random(Seed);
        for (var round = 0; round < rounds; round++)
        {
            var text = Encoding.Latin1.GetBytes(_seeds[random.Next(_seeds.Length)]);
            for (var changes = random.Next(0, 6); changes > 0 && text.Length > 0; changes--)
            {
                var at = random.Next(text.Length);
                text = random.Next(3) switch
                {
                    0 => [.. text[..at], .. text[(at + 1)..]],
                    1 => [.. text[..at], "\",=; \\\t0"u8.ToArray()[random.Next(8)], .. text[at..]],
                    _ => [.. text[..at], (byte)random.Next(32, 256), .. text[(at + 1)..]],
                };
            }

            try
            {
                var directives = new CacheDirectives();
                directives.Read(text);
                Assert.InRange(directives.MaxAge, -1, CacheDirectives.Forever);
                Assert.InRange(directives.SharedMaxAge, -1, CacheDirectives.Forever);
                var targeted = new CacheDirectives();
                TargetedControl.TryReadDictionary(text, ref targeted);
                TargetedControl.ReadSurrogate(text, ref targeted);
                HttpDate.TryRead(text, out _);
                var part = Conditions.Range(text, 100);
                Assert.True(part.IsWhole || part.IsNone || (part.Start >= 0 && part.Start < part.End && part.End <= 100));
                byte[] fields = [.. "Cache-Control: "u8, .. text, .. "\r\nAge: "u8, .. text, .. "\r\nExpires: "u8, .. text, .. "\r\nVary: "u8, .. text, .. "\r\n"u8];
                var facts = ResponseFacts.Read(fields);
                Assert.InRange(facts.Age, 0, CacheDirectives.Forever);
                Assert.True(Freshness.Of(in facts, 0, 0, 0, 0).Lifetime >= 0);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {Seed}, round {round}: {Encoding.Latin1.GetString(text)}", e);
            }
        }
    }
}
