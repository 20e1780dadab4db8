using System.Text;
using Ashlar.Catalog.Store;
using Ashlar.Catalog.Tests.Channel;
using Ashlar.Errors;
using Ashlar.Testing;
using Microsoft.Data.Sqlite;

namespace Ashlar.Catalog.Tests.Store;

public sealed class SqliteStoreTests : StoreContract, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualTime _time = new();

    private string StorePath => Path.Combine(_folder.Path, "state.db");

    public void Dispose() => _folder.Dispose();

    protected override Task<IStore> OpenAsync() => Task.FromResult<IStore>(SqliteStore.Open(StorePath, _time));

    protected override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Everything_is_there_after_a_restart()
    {
        await PutAsync("a", "1");
        var revision = await PutAsync("a", "2");
        await Store.DisposeAsync();
        await using var again = SqliteStore.Open(StorePath, _time);
        var entry = await again.GetAsync("a");
        Assert.Equal((revision - 1, revision), (entry!.CreateRevision, entry.ModRevision));
        await using var watch = again.WatchAsync("a", 1).GetAsyncEnumerator();
        Assert.True(await watch.MoveNextAsync().Soon());
        Assert.Equal(revision - 1, watch.Current.Revision);
        Assert.Equal(revision + 1, (await again.CommitAsync(new StoreTransaction([], [new("b", Array.Empty<byte>())]))).Revision);
    }

    [Fact]
    public async Task A_lease_lives_its_whole_length_again_after_a_restart_and_then_ends()
    {
        var lease = await Store.GrantLeaseAsync(TimeSpan.FromSeconds(10));
        await Store.CommitAsync(new StoreTransaction([], [new("a", Array.Empty<byte>(), lease)]));
        _time.Advance(TimeSpan.FromSeconds(9));
        await Store.DisposeAsync();
        _time.Advance(TimeSpan.FromHours(1));
        await using var again = SqliteStore.Open(StorePath, _time);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.NotNull(await again.GetAsync("a"));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(await again.GetAsync("a"));
        Assert.False(await again.KeepAliveAsync(lease));
        Assert.NotEqual(lease, await again.GrantLeaseAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Only_the_owner_may_read_its_files()
    {
        await PutAsync("a", "1");
        foreach (var file in Directory.GetFiles(_folder.Path))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public void A_second_process_is_refused()
    {
        var error = Assert.Throws<AshlarException>(() => SqliteStore.Open(StorePath)).Error;
        Assert.Equal("ASH4065", error.Code);
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task Old_changes_are_forgotten_by_themselves()
    {
        for (var i = 0; i < 12_000; i++)
        {
            await PutAsync("a", $"{i}");
        }

        await using var watch = Store.WatchAsync("a", 1).GetAsyncEnumerator();
        var error = await Assert.ThrowsAsync<CompactedException>(() => watch.MoveNextAsync().Soon());
        Assert.InRange(error.OldestRevision, 1_000, 2_000);
    }
}

/// <summary>Files that cannot be used: each is refused with its own error and left as it was.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string StorePath => Path.Combine(_folder.Path, "state.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_that_is_not_there()
    {
        var error = Assert.Throws<AshlarException>(() => SqliteStore.Open(Path.Combine(_folder.Path, "no", "state.db"))).Error;
        Assert.Equal("ASH4060", error.Code);
    }

    [Fact]
    public void A_folder_in_its_place()
    {
        Directory.CreateDirectory(StorePath);
        Assert.Equal("ASH4060", Assert.Throws<AshlarException>(() => SqliteStore.Open(StorePath)).Error.Code);
    }

    [Fact]
    public void A_file_of_another_kind()
    {
        var text = string.Join('\n', Enumerable.Repeat("these are my notes, not a database", 100));
        File.WriteAllText(StorePath, text);
        Assert.Equal("ASH4061", Assert.Throws<AshlarException>(() => SqliteStore.Open(StorePath)).Error.Code);
        Assert.Equal(text, File.ReadAllText(StorePath));
    }

    [Fact]
    public void A_database_of_another_program()
    {
        Change("CREATE TABLE notes(text)");
        Assert.Equal("ASH4061", Assert.Throws<AshlarException>(() => SqliteStore.Open(StorePath)).Error.Code);
        Change("SELECT * FROM notes");
    }

    [Fact]
    public async Task A_newer_format()
    {
        await using (SqliteStore.Open(StorePath))
        {
        }

        Change("PRAGMA user_version = 7");
        var error = Assert.Throws<AshlarException>(() => SqliteStore.Open(StorePath)).Error;
        Assert.Equal("ASH4063", error.Code);
        Assert.Contains("7", error.Message);
    }

    [Fact]
    public async Task A_damaged_file()
    {
        await FillAsync(StorePath, 400);
        var bytes = File.ReadAllBytes(StorePath);
        for (var at = 4096; at < bytes.Length; at += 512)
        {
            bytes.AsSpan(at, 64).Fill(0xA5);
        }

        File.WriteAllBytes(StorePath, bytes);
        Assert.Equal("ASH4061", Assert.Throws<AshlarException>(() => SqliteStore.Open(StorePath)).Error.Code);
        Assert.Equal(bytes, File.ReadAllBytes(StorePath));
    }

    [Fact]
    public async Task A_file_that_may_only_be_read()
    {
        await FillAsync(StorePath, 1);
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b101_101_101);
        File.SetUnixFileMode(StorePath, (UnixFileMode)0b100_100_100);
        try
        {
            // The permissions of a file do not hold root back.
            Func<AshlarException> open = () => Assert.Throws<AshlarException>(() => SqliteStore.Open(StorePath));
            var error = OtherUser.Possible ? await OtherUser.Run(open).Soon() : open();
            Assert.True(error.Error.Code == "ASH4062", error.Error.ToString());
        }
        finally
        {
            File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_000_000);
        }
    }

    [Fact]
    public async Task A_full_disk_refuses_the_change_keeps_what_was_acknowledged_and_serves_on_when_there_is_room()
    {
        using var disk = SmallDisk.TryMount(_folder.Path, megabytes: 2);
        if (disk is null)
        {
            return; // only root can mount one
        }

        var path = Path.Combine(disk.Path, "state.db");
        var acknowledged = 0;
        var time = new ManualTime();
        await using (var store = SqliteStore.Open(path, time))
        {
            var lease = await store.GrantLeaseAsync(TimeSpan.FromSeconds(1));
            var ballast = Path.Combine(disk.Path, "ballast");
            await File.WriteAllBytesAsync(ballast, new byte[512 << 10]);
            var error = await Assert.ThrowsAsync<AshlarException>(async () =>
            {
                for (; ; acknowledged++)
                {
                    await store.CommitAsync(new StoreTransaction([], [new($"key/{acknowledged}", new byte[8000], acknowledged == 0 ? lease : 0)]));
                }
            });
            Assert.Equal("ASH4064", error.Error.Code);
            time.Advance(TimeSpan.FromSeconds(2));
            Assert.Equal(acknowledged, (await store.ListAsync("key/")).Entries.Length);
            File.Delete(ballast);
            await store.CommitAsync(new StoreTransaction([], [new("after", new byte[10])]));
            Assert.Equal(acknowledged - 1, (await store.ListAsync("key/")).Entries.Length);
        }

        await using var again = SqliteStore.Open(path);
        Assert.Equal(acknowledged - 1, (await again.ListAsync("key/")).Entries.Length);
    }

    [Fact]
    public async Task Every_acknowledged_change_survives_a_kill()
    {
        var acknowledged = 0L;
        for (var round = 0; round < 4; round++)
        {
            using var child = ChildProcess.Start("write-store", StorePath);
            for (var target = acknowledged + (37 * (round + 1)); acknowledged < target;)
            {
                acknowledged = long.Parse((await child.Output.ReadLineAsync().Soon())!);
            }

            child.Kill();
            while (await child.Output.ReadLineAsync().Soon() is { } line)
            {
                // What stood in the pipe was acknowledged as well; the last line may be cut.
                acknowledged = long.TryParse(line, out var number) && number == acknowledged + 1 ? number : acknowledged;
            }

            await using var store = SqliteStore.Open(StorePath);
            var entries = (await store.ListAsync("key/")).Entries;
            Assert.InRange(entries.Length, acknowledged, acknowledged + 1);
            Assert.Equal(Enumerable.Range(1, entries.Length).Select(i => $"key/{i:D8}"), entries.Select(entry => entry.Key));
            Assert.All(entries, entry => Assert.Equal(entry.Key, Encoding.UTF8.GetString(entry.Value.Span)));
            acknowledged = entries.Length;
        }
    }

    internal static async Task WriteForEverAsync(string path)
    {
        await using var store = SqliteStore.Open(path);
        for (var next = (await store.ListAsync("key/")).Entries.Length + 1; ; next++)
        {
            var key = $"key/{next:D8}";
            await store.CommitAsync(new StoreTransaction([], [new(key, Encoding.UTF8.GetBytes(key))]));
            Console.WriteLine(next);
        }
    }

    private static async Task FillAsync(string path, int entries)
    {
        await using var store = SqliteStore.Open(path);
        for (var i = 0; i < entries; i++)
        {
            await store.CommitAsync(new StoreTransaction([], [new($"key/{i}", new byte[500])]));
        }
    }

    private void Change(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={StorePath};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
