namespace Ashlar.Stack.Tests;

public sealed class EdgeCacheTests : StackTest
{
    [Theory]
    [InlineData("", null)]
    [InlineData("edge: {cache: 64MiB}", 64L << 20)]
    [InlineData("edge: {cache: {}}", 256L << 20)]
    [InlineData("edge:\n  cache:\n", 256L << 20)]
    [InlineData("edge: {cache: {memory: 1GiB}}", 1L << 30)]
    public void The_cache_is_a_size_or_a_map_and_there_is_none_without_it(string edge, long? memory) =>
        Assert.Equal(memory, Yaml($"services: {{web: {{run: x}}}}\n{edge}\n").Require().Edge.Cache?.Memory);

    [Fact]
    public void All_its_keys_are_read()
    {
        var cache = Yaml("services: {web: {run: x}}\nedge: {cache: {max_object: 1MiB, stale_if_error: 5m, cookies: [sid], purge_from: [10.0.0.0/8, '::1']}}\n").Require().Edge.Cache!;
        Assert.Equal((1L << 20, TimeSpan.FromMinutes(5)), (cache.MaxObject, cache.StaleIfError));
        Assert.Equal<string>(["sid"], cache.Cookies);
        Assert.Equal<string>(["10.0.0.0/8", "::1"], cache.PurgeFrom);
    }
}
