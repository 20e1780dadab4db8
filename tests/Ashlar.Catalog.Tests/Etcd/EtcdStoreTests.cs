using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Catalog.Tests.Store;

namespace Ashlar.Catalog.Tests.Etcd;

/// <summary>One real etcd for the tests of a class, which run one after the other.</summary>
public sealed class OneMember : IAsyncLifetime
{
    private int _prefixes;

    internal EtcdCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync() => Cluster = await EtcdCluster.StartAsync(1);

    public async Task DisposeAsync() => await Cluster.DisposeAsync();

    /// <summary>Options with a prefix that no other test has.</summary>
    internal EtcdOptions NewOptions() => Cluster.Options with { Prefix = $"t{Interlocked.Increment(ref _prefixes)}/" };
}

public sealed class EtcdStoreTests(OneMember etcd) : StoreContract, IClassFixture<OneMember>
{
    private readonly EtcdOptions _options = etcd.NewOptions();

    // Leases have whole seconds: four for the contract's ten.
    protected override TimeSpan Second => TimeSpan.FromSeconds(0.4);

    protected override Task<IStore> OpenAsync() => Task.FromResult<IStore>(new EtcdStore(_options));

    protected override Task PassAsync(TimeSpan time) => Task.Delay(time);

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();

        // A lease that ends later would make a revision in another test.
        await using var store = new EtcdStore(_options);
        foreach (var chunk in (await store.ListAsync("")).Entries.Chunk(StoreLimits.TransactionLength))
        {
            await store.CommitAsync(new StoreTransaction([], [.. chunk.Select(entry => new StoreWrite(entry.Key, null))]));
        }
    }
}
