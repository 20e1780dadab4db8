using Ashlar.Delivery.Releases;
using Ashlar.Errors;

namespace Ashlar.Delivery.Tests.Releases;

public sealed partial class ReleaseStoreTests
{
    [Fact]
    public async Task Old_releases_are_pruned_but_none_in_use_or_shared()
    {
        for (var i = 1; i <= 9; i++)
        {
            _folder.Write("web.sh", $"echo {i}");
            await UpAsync(Stack(), None.Add("SECRET", "x"));
        }

        // v10 shares the folder of v2, which so can be gone back to as well.
        await _releases.MarkCurrentAsync((await _releases.RollbackAsync("v2")).Name);
        Assert.Equal(["v1", "v4", "v5"], (await _releases.PruneAsync(new HashSet<string> { "v3" })).Order());
        Assert.Equal(["v2", "v3", "v6", "v7", "v8", "v9"], Directory.GetDirectories(Path.Combine(State, "releases")).Select(Path.GetFileName).Order());
        var pruned = (await _releases.GetAsync("v1"))!;
        Assert.Equal((ReleaseStatus.Pruned, 0), (pruned.Status, pruned.ConfigVars.Count));
        var error = (await Assert.ThrowsAsync<AshlarException>(() => _releases.RollbackAsync("v1"))).Error;
        Assert.Contains("removed", error.Message);
        Assert.Contains("v9", error.NextStep);
        Assert.Empty(await _releases.PruneAsync(new HashSet<string> { "v3" }));
    }

    [Fact]
    public async Task A_machine_that_does_not_lead_removes_what_the_leader_has_given_up_but_nothing_that_it_runs_or_that_may_be_on_its_way()
    {
        string[] Folders() => [.. Directory.GetDirectories(Path.Combine(State, "releases")).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];
        Assert.Empty(await _releases.PruneHereAsync(new HashSet<string>()));
        for (var i = 1; i <= 8; i++)
        {
            _folder.Write("web.sh", $"echo {i}");
            await UpAsync(Stack());
        }

        Assert.Empty(await _releases.PruneHereAsync(new HashSet<string>()));
        Assert.Equal(["v1", "v2", "v3"], (await _releases.PruneAsync(new HashSet<string>())).Order());
        foreach (var name in new[] { "v1", "v2", "v3", "v9" })
        {
            Directory.CreateDirectory(Path.Combine(State, "releases", name)); // as they lie on another machine
        }

        Assert.Equal(["v1", "v3"], (await _releases.PruneHereAsync(new HashSet<string> { "v2" })).Order());
        Assert.Equal(["v2", "v4", "v5", "v6", "v7", "v8", "v9"], Folders());
        Assert.Equal("v2", Assert.Single(await _releases.PruneHereAsync(new HashSet<string>())));
    }

    [Fact]
    public async Task The_folder_of_a_release_that_failed_to_start_is_removed_by_pruning()
    {
        await UpAsync(Stack());
        _folder.Write("web.sh", "echo two");
        var failed = (await PrepareAsync(Stack())).Release;
        await _releases.MarkFailedAsync(failed.Name, "it crashed");
        File.SetUnixFileMode(Directory.CreateDirectory(Path.Combine(failed.Folder, "cache/inner")).Parent!.FullName, (UnixFileMode)0b101_101_101);
        await _releases.PruneAsync(new HashSet<string> { failed.Name });
        Assert.True(Directory.Exists(failed.Folder));
        await _releases.PruneAsync(new HashSet<string>());
        Assert.False(Directory.Exists(failed.Folder));
        Assert.Equal(ReleaseStatus.Failed, (await _releases.GetAsync(failed.Name))!.Status);
    }
}
