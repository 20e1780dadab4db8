using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Agent.Tests.Machines;

/// <summary>Backup and restore of the state of a stack on one machine.</summary>
public sealed class StateFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private StateFolder State => StateFolder.Of(_folder.Path);

    private string Backup => Path.Combine(_folder.Path, "state.backup");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_backup_of_an_open_state_takes_its_place_and_what_was_there_is_kept()
    {
        State.CreateForStore();
        await PutAsync("old");
        await using (var store = SqliteStore.Open(State.Store))
        {
            var made = await StateFile.BackupAsync(store, Backup, CancellationToken.None);
            Assert.True(made is { Bytes: > 0, Revision: > 0 });
            await store.CommitAsync(new StoreTransaction([], [new StoreWrite("k", "newer"u8.ToArray())]));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Backup));
        var (kept, done) = await StateFile.RestoreAsync(_folder.Path, Backup, TimeProvider.System);
        Assert.True(done);
        Assert.Equal("old", await GetAsync(State.Store));
        Assert.Equal("newer", await GetAsync(kept!));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(State.Store));
    }

    [Fact]
    public async Task Where_there_is_no_state_it_begins_with_the_backup()
    {
        State.CreateForStore();
        await PutAsync("1");
        await using (var store = SqliteStore.Open(State.Store))
        {
            await StateFile.BackupAsync(store, Backup, CancellationToken.None);
        }

        File.Delete(State.Store);
        Assert.Equal((null, true), await StateFile.RestoreAsync(_folder.Path, Backup, TimeProvider.System));
        Assert.Equal("1", await GetAsync(State.Store));
    }

    [Fact]
    public async Task What_is_no_backup_changes_nothing()
    {
        State.CreateForStore();
        await PutAsync("1");
        foreach (var bad in new byte[][] { [], "no database at all, but long enough to be looked at"u8.ToArray(), new byte[4096] })
        {
            await File.WriteAllBytesAsync(Backup, bad);
            var refused = await Record.ExceptionAsync(() => StateFile.RestoreAsync(_folder.Path, Backup, TimeProvider.System));
            Assert.Equal("ASH7132", (refused as AshlarException)?.Error.Code);
        }

        Assert.Equal("ASH7132", (await Assert.ThrowsAsync<AshlarException>(() => StateFile.RestoreAsync(_folder.Path, "/nowhere", TimeProvider.System))).Error.Code);
        Assert.Equal("1", await GetAsync(State.Store));
    }

    [Fact]
    public async Task A_stack_that_somebody_has_is_left_alone()
    {
        State.CreateForStore();
        using var taken = AgentLock.TryTake(State.LockFile);
        Assert.False((await StateFile.RestoreAsync(_folder.Path, Backup, TimeProvider.System)).Done);
    }

    private async Task PutAsync(string value)
    {
        await using var store = SqliteStore.Open(State.Store);
        await store.CommitAsync(new StoreTransaction([], [new StoreWrite("k", System.Text.Encoding.UTF8.GetBytes(value))]));
    }

    private static async Task<string> GetAsync(string path)
    {
        await using var store = SqliteStore.Open(path);
        return System.Text.Encoding.UTF8.GetString((await store.GetAsync("k"))!.Value.Span);
    }
}
