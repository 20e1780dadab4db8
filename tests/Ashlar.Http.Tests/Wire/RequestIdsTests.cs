using Ashlar.Http.Wire;

namespace Ashlar.Http.Tests.Wire;

public class RequestIdsTests
{
    private static string Next(RequestIds ids, long milliseconds)
    {
        Span<byte> id = stackalloc byte[RequestIds.Length];
        ids.Next(milliseconds, id);
        return WireText.Text(id);
    }

    [Fact]
    public void They_are_unique_within_a_millisecond_and_across_generators()
    {
        var (a, b) = (new RequestIds(), new RequestIds());
        var ids = Enumerable.Range(0, 50_000).SelectMany(_ => new[] { Next(a, 1), Next(b, 1) });
        Assert.Equal(100_000, ids.Distinct().Count());
    }

    [Fact]
    public void They_begin_with_the_time_and_so_sort_by_it()
    {
        var ids = new RequestIds(1, 2);
        Assert.StartsWith("01ARYZ6S41", Next(ids, 1469918176385), StringComparison.Ordinal); // the ULID specification's example
        Assert.True(string.CompareOrdinal(Next(ids, 1_700_000_000_000), Next(ids, 1_700_000_000_001)) < 0);
    }

    [Fact]
    public void They_are_fit_for_headers_and_logs() =>
        Assert.True(RequestIds.IsSane(WireText.Bytes(Next(new RequestIds(), 1_700_000_000_000))));
}
