using System.Collections.Immutable;
using Ashlar.Catalog.Store;
using Ashlar.Delivery.Releases;
using Ashlar.Errors;
using Ashlar.Processes;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Delivery.Tests.Releases;

public sealed partial class ReleaseStoreTests : IAsyncLifetime, IDisposable
{
    private static readonly ImmutableSortedDictionary<string, string> None = ImmutableSortedDictionary<string, string>.Empty;

    // Where every user can pass through to: a test that builds as another user needs it.
    private readonly TempFolder _folder = new();
    private readonly ProcessLauncher _launcher = new("release-tests-" + Guid.NewGuid().ToString("N")[..8]);
    private readonly List<string> _progress = [];
    private SqliteStore _store = null!;
    private ReleaseStore _releases = null!;

    private string State => Path.Combine(_folder.Path, ".ashlar");

    public Task InitializeAsync()
    {
        const UnixFileMode passable = (UnixFileMode)0b111_001_001;
        File.SetUnixFileMode(_folder.Path, passable);
        Directory.CreateDirectory(State, passable);
        Open();
        _folder.Write("web.sh", "echo one");
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        _releases.Dispose();
        await _store.DisposeAsync();
    }

    public void Dispose()
    {
        _launcher.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_first_release_is_a_copy_of_the_folder_with_modes_and_links()
    {
        _folder.Write("bin/tool", "x");
        File.SetUnixFileMode(Path.Combine(_folder.Path, "bin/tool"), (UnixFileMode)0b111_101_000);
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "bin/link"), "tool");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "empty"));
        _folder.Write(".env", "SECRET=1");
        var (release, changed) = await PrepareAsync(Stack());
        Assert.True(changed);
        Assert.Equal(("v1", ReleaseStatus.Prepared, Path.Combine(State, "releases/v1")), (release.Name, release.Status, release.Folder));
        Assert.Equal("echo one", File.ReadAllText(Path.Combine(release.Folder, "web.sh")));
        Assert.Equal((UnixFileMode)0b111_101_000, File.GetUnixFileMode(Path.Combine(release.Folder, "bin/tool")));
        Assert.Equal("tool", new FileInfo(Path.Combine(release.Folder, "bin/link")).LinkTarget);
        Assert.True(Directory.Exists(Path.Combine(release.Folder, "empty")));
        Assert.False(File.Exists(Path.Combine(release.Folder, ".env")));
        Assert.False(Directory.Exists(Path.Combine(release.Folder, ".ashlar")));
    }

    [Fact]
    public async Task Nothing_changed_gives_back_the_release_that_runs()
    {
        var first = await UpAsync(Stack());
        var again = await PrepareAsync(Stack());
        Assert.False(again.Changed);
        Assert.Equal(first.Name, again.Release.Name);
        Assert.Single(await _releases.ListAsync());
    }

    [Fact]
    public async Task Changed_settings_make_a_release_that_shares_the_folder_and_builds_nothing()
    {
        var stack = Stack(build: "echo built >> built");
        var first = await UpAsync(stack);
        var scaled = stack with { Services = [.. stack.Services.Select(service => service with { Instances = 4, Run = "other" })] };
        var (second, changed) = await PrepareAsync(scaled);
        Assert.True(changed);
        Assert.Equal(("v2", first.Folder), (second.Name, second.Folder));
        Assert.Equal(4, second.Stack.Services[0].Instances);
        Assert.Equal("built\nbuilt\n", File.ReadAllText(Path.Combine(second.Folder, "built")));
        Assert.Equal(first.Contents, second.Contents);
        Assert.False(Directory.Exists(Path.Combine(State, "releases/v2")));
    }

    [Fact]
    public async Task Changed_content_or_another_build_command_builds_anew()
    {
        var first = await UpAsync(Stack(build: "cp web.sh built"));
        _folder.Write("web.sh", "echo two");
        var second = await UpAsync(Stack(build: "cp web.sh built"));
        Assert.Equal("echo one", File.ReadAllText(Path.Combine(first.Folder, "built")));
        Assert.Equal("echo two", File.ReadAllText(Path.Combine(second.Folder, "built")));
        Assert.NotEqual(first.Contents["web"], second.Contents["web"]);
        var third = await UpAsync(Stack(build: "cp web.sh other"));
        Assert.True(File.Exists(Path.Combine(third.Folder, "other")));
        Assert.Equal(3, third.Number);
    }

    [Fact]
    public async Task Builds_and_the_release_command_run_once_in_order_with_the_apps_environment()
    {
        var stack = Stack(build: "echo \"build $ASHLAR_SERVICE $ASHLAR_RELEASE $COLOUR $SECRET\"", release: "echo \"release $ASHLAR_RELEASE $COLOUR\"");
        await PrepareAsync(stack, None.Add("SECRET", "s3cret"));
        Assert.Equal(
            [
                "v1: copying 1 files",
                "v1: building web: " + stack.Services[0].Build,
                "build web | build web v1 blue s3cret",
                "v1: building worker: " + stack.Services[1].Build,
                "build worker | build worker v1 blue s3cret",
                "v1: release command: " + stack.Release,
                "release | release v1 blue",
            ],
            _progress);
        Assert.Equal(3, File.ReadAllLines(Path.Combine(State, "logs/release-v1.log")).Length);
    }

    [Fact]
    public async Task A_failing_build_names_itself_and_leaves_what_ran_untouched()
    {
        var first = await UpAsync(Stack());
        _folder.Write("web.sh", "echo two");
        var error = (await Assert.ThrowsAsync<AshlarException>(
            () => PrepareAsync(Stack(build: "seq 1 100; echo no compiler >&2; exit 7")))).Error;
        Assert.Equal("ASH5001", error.Code);
        Assert.Contains("web", error.Message);
        Assert.Contains("exit 7", error.Message);
        Assert.Contains("no compiler", error.Message);
        Assert.Contains("\n    82\n", error.Message);
        Assert.DoesNotContain("\n    81\n", error.Message);
        Assert.Contains("release-v2.log", error.NextStep);
        Assert.False(Directory.Exists(Path.Combine(State, "releases/v2")));
        Assert.Equal("echo one", File.ReadAllText(Path.Combine(first.Folder, "web.sh")));
        Assert.Equal("v1", (await _releases.CurrentAsync())!.Name);
        var failed = (await _releases.ListAsync())[0];
        Assert.Equal(("v2", ReleaseStatus.Failed), (failed.Name, failed.Status));
        Assert.Contains("exit 7", failed.Failure);
        Assert.Equal("v3", (await PrepareAsync(Stack())).Release.Name);
    }

    [Fact]
    public async Task A_failing_release_command_names_itself_and_a_shared_folder_stays()
    {
        var first = await UpAsync(Stack());
        var error = (await Assert.ThrowsAsync<AshlarException>(() => PrepareAsync(Stack(release: "kill -9 $$")))).Error;
        Assert.Equal("ASH5002", error.Code);
        Assert.Contains("SIGKILL", error.Message);
        Assert.Contains("It wrote nothing", error.Message);
        Assert.True(Directory.Exists(first.Folder));
    }

    [Fact]
    public async Task A_cancelled_build_is_stopped_and_removed()
    {
        using var cancel = new CancellationTokenSource();
        var begun = new TaskCompletionSource();
        var preparing = _releases.PrepareAsync(Stack(build: "echo begun; sleep 1000"), None, "up", null, line =>
        {
            if (line.EndsWith("| begun", StringComparison.Ordinal))
            {
                begun.TrySetResult();
            }
        }, cancellation: cancel.Token);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => preparing.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.False(Directory.Exists(Path.Combine(State, "releases/v1")));
        Assert.Equal(ReleaseStatus.Failed, (await _releases.ListAsync())[0].Status);
    }

    [Fact]
    public async Task Builds_tell_the_dotnet_tools_to_greet_nobody_unless_the_stack_says_otherwise()
    {
        const string show = "echo \"$DOTNET_NOLOGO $DOTNET_CLI_TELEMETRY_OPTOUT $DOTNET_SKIP_FIRST_TIME_EXPERIENCE\"";
        await PrepareAsync(Stack(build: show), None.Add("DOTNET_CLI_TELEMETRY_OPTOUT", "0"));
        Assert.Contains("build web | 1 0 1", _progress);
    }

    [Fact]
    public async Task Config_vars_make_a_release_that_has_them_once_it_is_current()
    {
        Assert.Null(await _releases.ConfigureAsync(Changes(("A", "1")), null, _progress.Add));
        var first = await UpAsync(Stack());
        Assert.Equal("1", first.ConfigVars["A"]);

        _folder.Write("web.sh", "changed, and no business of a config var");
        var second = (await _releases.ConfigureAsync(Changes(("B", "2"), ("A", null)), null, _progress.Add))!;
        Assert.Equal((true, "config: set B; unset A", first.Folder), (second.Changed, second.Release.Description, second.Release.Folder));
        Assert.Equal(None.Add("A", "1"), await _releases.GetConfigVarsAsync());
        await _releases.MarkCurrentAsync(second.Release.Name);
        Assert.Equal(None.Add("B", "2"), await _releases.GetConfigVarsAsync());
        Assert.False((await _releases.ConfigureAsync(Changes(("B", "2")), null, _progress.Add))!.Changed);
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("1A", "x")]
    [InlineData("A-B", "x")]
    [InlineData("A=B", "x")]
    [InlineData("A", "x\0y")]
    public async Task A_config_var_that_no_process_could_have_is_refused(string name, string value)
    {
        var error = await Assert.ThrowsAsync<AshlarException>(() => _releases.ConfigureAsync(Changes((name, value)), null, _progress.Add));
        Assert.Equal("ASH5009", error.Error.Code);
    }

    [Fact]
    public async Task Variables_that_the_app_requires_are_asked_for_and_those_it_wants_made_up_are_made_up_once()
    {
        var stack = Stack() with { RequiredVariables = ["API_KEY"], GeneratedVariables = ["SECRET_KEY"] };
        var error = (await Assert.ThrowsAsync<AshlarException>(() => PrepareAsync(stack))).Error;
        Assert.Equal("ASH5008", error.Code);
        Assert.Contains("API_KEY", error.NextStep);
        await _releases.ConfigureAsync(Changes(("API_KEY", "k")), null, _progress.Add);
        var release = await UpAsync(stack);
        Assert.Equal(64, release.ConfigVars["SECRET_KEY"].Length);
        Assert.False((await PrepareAsync(stack, await _releases.GetConfigVarsAsync())).Changed);
    }

    [Fact]
    public async Task A_rollback_is_the_earlier_release_again_without_its_release_command()
    {
        var first = await UpAsync(Stack(release: "echo ran >> ran"));
        _folder.Write("web.sh", "echo two");
        var second = await UpAsync(Stack(release: "echo ran >> ran"));
        var back = await _releases.RollbackAsync(null);
        Assert.Equal(("v3", "rollback to v1", first.Folder), (back.Name, back.Description, back.Folder));
        Assert.Equal(first.Contents, back.Contents);
        Assert.Equal("ran\n", File.ReadAllText(Path.Combine(back.Folder, "ran")));
        await _releases.MarkCurrentAsync(back.Name);
        Assert.Equal(second.Folder, (await _releases.RollbackAsync("v2")).Folder);
    }

    [Fact]
    public async Task A_way_back_that_there_is_not_is_said_to_be_none()
    {
        await UpAsync(Stack());
        Assert.Equal("ASH5007", (await Assert.ThrowsAsync<AshlarException>(() => _releases.RollbackAsync(null))).Error.Code);
        Assert.Equal("ASH5007", (await Assert.ThrowsAsync<AshlarException>(() => _releases.RollbackAsync("v1"))).Error.Code);
        Assert.Equal("ASH5006", (await Assert.ThrowsAsync<AshlarException>(() => _releases.RollbackAsync("v9"))).Error.Code);
        Assert.Equal("ASH5006", (await Assert.ThrowsAsync<AshlarException>(() => _releases.RollbackAsync("nonsense"))).Error.Code);
        _folder.Write("web.sh", "echo two");
        var failed = (await PrepareAsync(Stack())).Release;
        await _releases.MarkFailedAsync(failed.Name, "web.1 never listened");
        var error = (await Assert.ThrowsAsync<AshlarException>(() => _releases.RollbackAsync(failed.Name))).Error;
        Assert.Equal("ASH5007", error.Code);
        Assert.Contains("failed", error.Message);
    }

    [Fact]
    public async Task The_files_may_lie_elsewhere_than_the_stack_and_are_no_reason_to_build_again()
    {
        var first = await UpAsync(Stack());
        using var elsewhere = new TempFolder();
        File.Copy(Path.Combine(_folder.Path, "web.sh"), Path.Combine(elsewhere.Path, "web.sh"));
        Assert.False((await _releases.PrepareAsync(Stack(), first.ConfigVars, "up", null, _progress.Add, elsewhere.Path)).Changed);
        elsewhere.Write("web.sh", "echo two");
        var (second, changed) = await _releases.PrepareAsync(Stack(), first.ConfigVars, "up", null, _progress.Add, elsewhere.Path);
        Assert.True(changed);
        Assert.Equal("echo two", File.ReadAllText(Path.Combine(second.Folder, "web.sh")));
    }

    [Fact]
    public async Task Changes_of_config_vars_push_no_older_code_out()
    {
        await UpAsync(Stack());
        _folder.Write("web.sh", "echo two");
        await UpAsync(Stack());
        for (var i = 3; i <= 12; i++)
        {
            await UpAsync(Stack(), None.Add("LEVEL", $"{i}"));
            await _releases.PruneAsync(new HashSet<string> { "v4" });
        }

        // v2 to v12 are one build: its five newest are kept, and the one in use.
        var kept = (await _releases.ListAsync()).Where(release => release.Status is ReleaseStatus.Good or ReleaseStatus.Current);
        Assert.Equal(["v12", "v11", "v10", "v9", "v8", "v4", "v1"], kept.Select(release => release.Name));
        Assert.Equal(["v1", "v2"], Directory.GetDirectories(Path.Combine(State, "releases")).Select(Path.GetFileName).Order());
        Assert.Equal("rollback to v1", (await _releases.RollbackAsync("v1")).Description);
    }

    [Fact]
    public async Task A_preview_says_what_would_be_and_makes_nothing()
    {
        var preview = await _releases.PreviewAsync(Stack(), None);
        Assert.Equal((true, "v1"), (preview.Changed, preview.Release.Name));
        Assert.False(Directory.Exists(Path.Combine(State, "releases")));
        Assert.Empty(await _releases.ListAsync());
        await UpAsync(Stack());
        Assert.False((await _releases.PreviewAsync(Stack(), None)).Changed);
    }

    [Fact]
    public async Task A_number_is_not_given_twice_when_the_store_is_lost()
    {
        await UpAsync(Stack());
        _folder.Write("web.sh", "echo two");
        await UpAsync(Stack());
        await DisposeAsync();
        File.Delete(Path.Combine(State, "state.db"));
        Open();
        Assert.Equal("v3", (await PrepareAsync(Stack())).Release.Name);
    }

    [Fact]
    public async Task An_agent_killed_while_it_builds_leaves_no_half_release()
    {
        var first = await UpAsync(Stack());
        await DisposeAsync();
        _folder.Write("web.sh", "echo two");
        using (var agent = ChildProcess.Start("build-for-ever", _folder.Path))
        {
            Assert.Equal("building", await agent.Output.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)));
            agent.Kill();
        }

        Open();
        Assert.Equal("v1", (await _releases.CurrentAsync())!.Name);
        Assert.True(Directory.Exists(Path.Combine(State, "releases/v2")));
        await _releases.RecoverAsync();
        Assert.Equal([first.Folder], Directory.GetDirectories(Path.Combine(State, "releases")));
        Assert.Equal(ReleaseStatus.Failed, (await _releases.GetAsync("v2"))!.Status);
        Assert.DoesNotContain(Directory.GetDirectories("/proc"), process => Reads($"{process}/environ").Contains($"ASHLAR_TEST_FOLDER={_folder.Path}\0"));
        Assert.Equal("v3", (await PrepareAsync(Stack())).Release.Name);
    }

    internal static async Task BuildForEverAsync(string folder)
    {
        await using var store = SqliteStore.Open(Path.Combine(folder, ".ashlar/state.db"));
        using var launcher = new ProcessLauncher("release-tests-child");
        using var releases = new ReleaseStore(Path.Combine(folder, ".ashlar"), store, launcher);
        var stack = StackOf(folder, build: "echo begun; sleep 1000") with
        {
            Env = ImmutableSortedDictionary<string, string>.Empty.Add("ASHLAR_TEST_FOLDER", folder),
        };
        await releases.PrepareAsync(stack, None, "up", null, line =>
        {
            if (line.EndsWith("| begun", StringComparison.Ordinal))
            {
                Console.WriteLine("building");
            }
        });
    }

    [Fact]
    public async Task A_full_disk_is_said_and_what_was_copied_is_removed()
    {
        using var disk = SmallDisk.TryMount(_folder.Path, megabytes: 3);
        if (disk is null)
        {
            return; // only root can mount one
        }

        using var source = new TempFolder();
        source.Write("small", "x");
        File.WriteAllBytes(Path.Combine(source.Path, "web.sh"), new byte[4 << 20]);
        using var releases = new ReleaseStore(disk.Path, _store, _launcher);
        var error = await Assert.ThrowsAsync<AshlarException>(() => releases.PrepareAsync(StackOf(source.Path), None, "up", null, _progress.Add));
        Assert.Equal("ASH5004", error.Error.Code);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(disk.Path, "releases")));
        File.Delete(Path.Combine(source.Path, "web.sh"));
        Assert.Equal("v2", (await releases.PrepareAsync(StackOf(source.Path), None, "up", null, _progress.Add)).Release.Name);
    }

    [Fact]
    public async Task As_root_the_copy_belongs_to_the_services_user_and_builds_run_as_it()
    {
        if (!Environment.IsPrivilegedProcess || SystemUsers.Find("nobody") is not { } nobody)
        {
            return;
        }

        var stack = Stack(build: "id -un > who-$ASHLAR_SERVICE; touch \"$HOME/cache\"");
        var (release, _) = await _releases.PrepareAsync(stack, None, "up", nobody, _progress.Add);
        Assert.Equal("nobody\n", File.ReadAllText(Path.Combine(release.Folder, "who-web")));
        Assert.Equal(nobody.Uid, (uint)Ashlar.Delivery.Tests.Owner.Of(Path.Combine(release.Folder, "web.sh")));
    }

    [Fact]
    public async Task Secrets_of_config_vars_are_in_no_file_but_the_store()
    {
        var release = (await PrepareAsync(Stack(build: "true", release: "true"), None.Add("TOKEN", "hunter2hunter2"))).Release;
        await _releases.MarkCurrentAsync(release.Name);
        foreach (var file in Directory.GetFiles(State, "*", SearchOption.AllDirectories).Where(file => !Path.GetFileName(file).StartsWith("state.db", StringComparison.Ordinal)))
        {
            Assert.DoesNotContain("hunter2", File.ReadAllText(file));
        }

        Assert.Equal((UnixFileMode)0b110_000_000, File.GetUnixFileMode(Path.Combine(State, "state.db")));
        Assert.DoesNotContain(_progress, line => line.Contains("hunter2", StringComparison.Ordinal));
    }

    private void Open()
    {
        _store = SqliteStore.Open(Path.Combine(State, "state.db"));
        _releases = new ReleaseStore(State, _store, _launcher);
    }

    private Task<PreparedRelease> PrepareAsync(StackDefinition stack, ImmutableSortedDictionary<string, string>? variables = null) =>
        _releases.PrepareAsync(stack, variables ?? None, "up", null, _progress.Add);

    private async Task<Release> UpAsync(StackDefinition stack, ImmutableSortedDictionary<string, string>? variables = null)
    {
        var (release, _) = await PrepareAsync(stack, variables ?? await _releases.GetConfigVarsAsync());
        await _releases.MarkCurrentAsync(release.Name);
        return release;
    }

    private StackDefinition Stack(string? build = null, string? release = null) => StackOf(_folder.Path, build, release);

    private static StackDefinition StackOf(string folder, string? build = null, string? release = null) => new()
    {
        Name = "s",
        Directory = folder,
        Release = release,
        Env = ImmutableSortedDictionary<string, string>.Empty.Add("COLOUR", "blue"),
        Services =
        [
            new ServiceDefinition { Name = "web", Run = "sh web.sh", Build = build },
            new ServiceDefinition { Name = "worker", Run = "sleep 9", Build = build },
        ],
    };

    private static ImmutableSortedDictionary<string, string?> Changes(params (string Name, string? Value)[] changes) =>
        changes.ToImmutableSortedDictionary(change => change.Name, change => change.Value, StringComparer.Ordinal);

    private static string Reads(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
