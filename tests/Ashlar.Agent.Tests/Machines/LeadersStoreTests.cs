using Ashlar.Agent.Machines.Rolling;
using Ashlar.Catalog.Store;
using Ashlar.Errors;

namespace Ashlar.Agent.Tests.Machines;

public sealed class LeadersStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ashlar-leaders-").FullName;

    [Fact]
    public async Task AFormerLeaderThatWakesWritesNothing()
    {
        await using var store = SqliteStore.Open(Path.Combine(_folder, "state.db"), TimeProvider.System);
        var first = await store.CampaignAsync(Keys.Leader, "m1", await store.GrantLeaseAsync(TimeSpan.FromMinutes(5)));
        var leaders = new LeadersStore(store, () => first);
        Assert.True((await WriteAsync(leaders, "v1")).Succeeded);

        // It sleeps; its lease ends, and another leads. Later it even leads again, by another leadership.
        await store.RevokeLeaseAsync(Convert.ToInt64(first.Key.Split('/')[1], 16));
        var second = await store.CampaignAsync(Keys.Leader, "m2", await store.GrantLeaseAsync(TimeSpan.FromMinutes(5)));
        Assert.Equal("ASH7530", (await Assert.ThrowsAsync<AshlarException>(() => WriteAsync(leaders, "v2"))).Error.Code);
        Assert.True((await WriteAsync(new LeadersStore(store, () => second), "v3")).Succeeded);
        Assert.Equal("v3", System.Text.Encoding.UTF8.GetString((await store.GetAsync(Keys.Orders))!.Value.Span));
    }

    [Fact]
    public async Task WhoDoesNotLeadWritesNothing()
    {
        await using var store = SqliteStore.Open(Path.Combine(_folder, "state.db"), TimeProvider.System);
        Assert.Equal("ASH7530", (await Assert.ThrowsAsync<AshlarException>(() => WriteAsync(new LeadersStore(store, () => null), "v1"))).Error.Code);
        Assert.Null(await store.GetAsync(Keys.Orders));
    }

    [Fact]
    public async Task ACallersOwnConditionThatFailsIsToldAsThat()
    {
        await using var store = SqliteStore.Open(Path.Combine(_folder, "state.db"), TimeProvider.System);
        var lead = await store.CampaignAsync(Keys.Leader, "m1", await store.GrantLeaseAsync(TimeSpan.FromMinutes(5)));
        var result = await new LeadersStore(store, () => lead).CommitAsync(
            new StoreTransaction([new StoreCondition(Keys.Orders, ModRevision: 99)], [new StoreWrite(Keys.Orders, "x"u8.ToArray())]));
        Assert.False(result.Succeeded);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Task<CommitResult> WriteAsync(LeadersStore store, string value) => store.CommitAsync(
        new StoreTransaction([], [new StoreWrite(Keys.Orders, System.Text.Encoding.UTF8.GetBytes(value))])).AsTask();
}
