using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Errors;

namespace Ashlar.Catalog.Tests.Etcd;

public sealed class EtcdQuotaTests
{
    [Fact]
    public async Task A_store_that_is_full_refuses_changes_and_is_still_read()
    {
        await using var cluster = await EtcdCluster.StartAsync(1, tls: false, "--quota-backend-bytes", "2097152");
        await using var store = new EtcdStore(cluster.Options);
        var lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(60));
        var written = 0;
        var error = await Assert.ThrowsAsync<AshlarException>(async () =>
        {
            for (; written < 20; written++)
            {
                await store.CommitAsync(new StoreTransaction([], [new($"k/{written}", new byte[512 << 10])]));
            }
        });
        Assert.Equal("ASH4074", error.Error.Code);
        Assert.Equal(written, (await store.ListAsync("k/")).Entries.Length);
        Assert.True(await store.KeepAliveAsync(lease));
    }
}
