using System.Globalization;
using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Catalog.Tests.Channel;
using Ashlar.Catalog.Tests.Etcd;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Catalog.Tests.Store;

public sealed class StoreMoveTests(OneMember etcd) : IClassFixture<OneMember>, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly EtcdOptions _options = etcd.NewOptions();

    private string Source => Path.Combine(_folder.Path, "state.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Everything_arrives_and_the_file_is_no_longer_opened()
    {
        await FillAsync(Source, 321);
        await using var target = new EtcdStore(_options);
        var report = await StoreMove.RunAsync(Source, target);
        Assert.Equal(322, report.Keys);
        await AssertMovedAsync(target);
        Assert.Equal(new byte[StoreLimits.ValueLength], (await target.GetAsync("large"))!.Value.ToArray());
        Assert.Null(await target.GetAsync("nodes/here"));
        Assert.Equal(report.Target, StoreMove.TargetOf(Source));

        var error = Assert.Throws<AshlarException>(() => SqliteStore.Open(Source)).Error;
        Assert.Equal("ASH4077", error.Code);
        Assert.Contains(report.Target, error.Message, StringComparison.Ordinal);

        await target.CommitAsync(new StoreTransaction([], [new("key/0000", TestText.Bytes("newer"))]));
        Assert.Equal(report, await StoreMove.RunAsync(Source, target));
        Assert.Equal("newer"u8.ToArray(), (await target.GetAsync("key/0000"))!.Value.ToArray());
    }

    [Fact]
    public async Task A_place_that_is_not_empty_is_refused_and_the_file_stays_the_state()
    {
        await FillAsync(Source, 3);
        await using var target = new EtcdStore(_options);
        await target.CommitAsync(new StoreTransaction([], [new("other", TestText.Bytes("1"))]));
        await RefusedAsync(Source, target);
        Assert.Single((await target.ListAsync("")).Entries);
        Assert.Null(StoreMove.TargetOf(Source));
        await using var source = SqliteStore.Open(Source);
        Assert.Equal(5, (await source.ListAsync("")).Entries.Length);
    }

    [Fact]
    public async Task Neither_another_file_nor_an_older_copy_is_moved_over_what_lives_there()
    {
        await FillAsync(Source, 3);
        var copy = Path.Combine(_folder.Path, "copy.db");
        await using var target = new EtcdStore(_options);
        await Assert.ThrowsAsync<NotSupportedException>(() => StoreMove.RunAsync(Source, target, StopAt("begun"), CancellationToken.None));
        File.Copy(Source, copy);
        await StoreMove.RunAsync(Source, target);
        await RefusedAsync(copy, target);

        var other = Path.Combine(_folder.Path, "other.db");
        await FillAsync(other, 5);
        await RefusedAsync(other, target);
        await AssertMovedAsync(target, 3);
    }

    [Fact]
    public async Task What_changes_between_an_interrupted_move_and_the_next_is_moved_as_well()
    {
        await FillAsync(Source, 50);
        await using var target = new EtcdStore(_options);
        await Assert.ThrowsAsync<NotSupportedException>(() => StoreMove.RunAsync(Source, target, StopAt("verified"), CancellationToken.None));
        await using (var source = SqliteStore.Open(Source))
        {
            await source.CommitAsync(new StoreTransaction([], [new("key/0001", null), new("added", TestText.Bytes("1")), new("key/0002", TestText.Bytes("2"))]));
        }

        var report = await StoreMove.RunAsync(Source, target);
        Assert.Equal(51, report.Keys);
        Assert.Null(await target.GetAsync("key/0001"));
        Assert.Equal("2"u8.ToArray(), (await target.GetAsync("key/0002"))!.Value.ToArray());
    }

    [Fact]
    public async Task What_another_writes_there_meanwhile_is_found()
    {
        await FillAsync(Source, 3);
        await using var target = new EtcdStore(_options);
        var error = await Assert.ThrowsAsync<AshlarException>(() => StoreMove.RunAsync(
            Source, target, step =>
            {
                if (step == "batch")
                {
                    target.CommitAsync(new StoreTransaction([], [new("key/0001", TestText.Bytes("mine"))])).AsTask().Wait();
                }
            }, CancellationToken.None));
        Assert.Equal("ASH4079", error.Error.Code);
        Assert.Null(StoreMove.TargetOf(Source));
        await StoreMove.RunAsync(Source, target);
        await AssertMovedAsync(target, 3);
    }

    [Fact]
    public async Task Killed_at_any_step_it_is_finished_by_the_next_try()
    {
        var steps = 0;
        for (var killed = true; killed; steps++)
        {
            var path = Path.Combine(_folder.Path, $"{steps}.db");
            await FillAsync(path, 150);
            var options = etcd.NewOptions();
            using (var child = ChildProcess.Start(
                "move-store", path, options.Endpoints[0].AbsoluteUri, options.Prefix, steps.ToString(CultureInfo.InvariantCulture)))
            {
                killed = await child.Output.ReadLineAsync().Soon() != "done";
            }

            await using var target = new EtcdStore(options);
            await StoreMove.RunAsync(path, target);
            await AssertMovedAsync(target, 150);
            Assert.Equal("ASH4077", Assert.Throws<AshlarException>(() => SqliteStore.Open(path)).Error.Code);
        }

        Assert.True(steps > 6, $"{steps} steps");
    }

    internal static async Task MoveAndDieAsync(string path, string endpoint, string prefix, string step)
    {
        var steps = int.Parse(step, CultureInfo.InvariantCulture);
        await using var target = new EtcdStore(new EtcdOptions { Endpoints = [new Uri(endpoint)], Prefix = prefix });
        await StoreMove.RunAsync(path, target, _ =>
        {
            if (steps-- == 0)
            {
                System.Diagnostics.Process.GetCurrentProcess().Kill();
                Thread.Sleep(Timeout.Infinite);
            }
        }, CancellationToken.None);
        Console.WriteLine("done");
    }

    private static Action<string> StopAt(string step) => reached =>
    {
        if (reached == step)
        {
            throw new NotSupportedException(step);
        }
    };

    private static async Task RefusedAsync(string path, EtcdStore target) =>
        Assert.Equal("ASH4078", (await Assert.ThrowsAsync<AshlarException>(() => StoreMove.RunAsync(path, target))).Error.Code);

    private static async Task AssertMovedAsync(EtcdStore target, int count = 321)
    {
        var keys = (await target.ListAsync("key/")).Entries;
        Assert.Equal(Enumerable.Range(0, count).Select(Key), keys.Select(entry => entry.Key));
        Assert.All(keys, entry => Assert.Equal(TestText.Bytes(entry.Key), entry.Value.ToArray()));
    }

    private static string Key(int number) => $"key/{number:D4}";

    private static async Task FillAsync(string path, int count)
    {
        await using var source = SqliteStore.Open(path);
        foreach (var chunk in Enumerable.Range(0, count).Chunk(StoreLimits.TransactionLength))
        {
            await source.CommitAsync(new StoreTransaction([], [.. chunk.Select(number => new StoreWrite(Key(number), TestText.Bytes(Key(number))))]));
        }

        await source.CommitAsync(new StoreTransaction([], [new("large", new byte[StoreLimits.ValueLength])]));
        var lease = await source.GrantLeaseAsync(TimeSpan.FromHours(1));
        await source.CommitAsync(new StoreTransaction([], [new("nodes/here", TestText.Bytes("1"), lease)]));
    }
}
