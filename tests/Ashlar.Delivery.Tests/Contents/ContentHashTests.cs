using System.Runtime.InteropServices;
using Ashlar.Delivery.Contents;
using Ashlar.Errors;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Delivery.Tests.Contents;

public sealed partial class ContentHashTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TempFolder _state = new();

    public ContentHashTests()
    {
        _folder.Write("web/app.py", "print(1)");
        _folder.Write("api/app.py", "print(2)");
        _folder.Write("shared/lib.py", "x = 1");
    }

    public void Dispose()
    {
        _folder.Dispose();
        _state.Dispose();
    }

    [Fact]
    public void The_same_tree_has_the_same_hash_wherever_it_lies()
    {
        var first = Compute();
        using var other = new TempFolder();
        other.Write("shared/lib.py", "x = 1");
        other.Write("api/app.py", "print(2)");
        other.Write("web/app.py", "print(1)");
        var second = ContentHash.Compute(Stack(), other.Path, Path.Combine(_state.Path, "other"), TimeProvider.System);
        Assert.Equal(first.Tree, second.Tree);
        Assert.Equal(first.Services, second.Services);
    }

    [Fact]
    public void A_change_in_a_services_folder_changes_that_service_alone()
    {
        var before = Compute();
        _folder.Write("web/app.py", "print(3)");
        var after = Compute();
        Assert.NotEqual(before.Tree, after.Tree);
        Assert.NotEqual(before.Services["web"], after.Services["web"]);
        Assert.Equal(before.Services["api"], after.Services["api"]);
    }

    [Fact]
    public void A_change_in_what_no_service_owns_changes_all()
    {
        var before = Compute();
        _folder.Write("shared/lib.py", "x = 2");
        var after = Compute();
        Assert.NotEqual(before.Services["web"], after.Services["web"]);
        Assert.NotEqual(before.Services["api"], after.Services["api"]);
    }

    [Fact]
    public void A_service_at_the_top_is_made_of_everything()
    {
        var stack = Stack() with { Services = [.. Stack().Services, new ServiceDefinition { Name = "top", Run = "x" }] };
        var before = Compute(stack);
        _folder.Write("web/app.py", "print(3)");
        Assert.NotEqual(before.Services["top"], Compute(stack).Services["top"]);
    }

    [Fact]
    public void A_zones_master_file_is_part_of_the_release_and_of_no_service()
    {
        var stack = Stack() with { Dns = new DnsDefinition { Zones = [new DnsZoneDefinition { Name = "shop.test", File = "./zones/shop.zone" }] } };
        _folder.Write("zones/shop.zone", "www A 192.0.2.1");
        var before = Compute(stack);
        _folder.Write("zones/shop.zone", "www A 192.0.2.2");
        var after = Compute(stack);
        Assert.NotEqual(before.Tree, after.Tree);
        Assert.Equal(before.Services, after.Services);
    }

    public static TheoryData<string, Action<string>> Changes => new()
    {
        { "a file more", root => File.WriteAllText(Path.Combine(root, "web/new"), "") },
        { "a file less", root => File.Delete(Path.Combine(root, "web/app.py")) },
        { "another name", root => File.Move(Path.Combine(root, "web/app.py"), Path.Combine(root, "web/main.py")) },
        { "a folder more", root => Directory.CreateDirectory(Path.Combine(root, "web/empty")) },
        { "a mode", root => File.SetUnixFileMode(Path.Combine(root, "web/app.py"), (UnixFileMode)0b111_101_101) },
        { "a link", root => File.CreateSymbolicLink(Path.Combine(root, "web/link"), "app.py") },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Every_kind_of_change_is_seen(string name, Action<string> change)
    {
        var before = Compute();
        change(_folder.Path);
        Assert.True(before.Tree != Compute().Tree, name);
    }

    [Fact]
    public void A_link_is_its_target_and_is_not_followed()
    {
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "web/loop"), "..");
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "web/dangling"), "nowhere");
        var before = Compute();
        File.Delete(Path.Combine(_folder.Path, "web/dangling"));
        File.CreateSymbolicLink(Path.Combine(_folder.Path, "web/dangling"), "elsewhere");
        Assert.NotEqual(before.Tree, Compute().Tree);
    }

    [Fact]
    public void Settings_state_and_what_is_ignored_do_not_count()
    {
        _folder.Write(".ashlarignore", "*.log\n/tmp/\n");
        var before = Compute();
        foreach (var path in new[] { "ashlar.yaml", "Procfile", ".env", ".git/HEAD", ".ashlar/state.db", "web/a.log", "tmp/x" })
        {
            _folder.Write(path, "x");
        }

        Assert.Equal(before.Tree, Compute().Tree);
    }

    [Fact]
    public void The_output_of_a_dotnet_project_counts_only_where_nothing_is_built()
    {
        _folder.Write("web/Web.csproj", "<Project/>");
        var building = Stack() with { Services = [.. Stack().Services.Select(service => service with { Build = "make" })] };
        var (built, plain) = (Compute(building), Compute());
        _folder.Write("web/bin/x.dll", "x");
        _folder.Write("web/obj/x.json", "x");
        Assert.Equal(built.Tree, Compute(building).Tree);
        Assert.NotEqual(plain.Tree, Compute().Tree);
        var before = Compute(building);
        _folder.Write("shared/bin/tool", "x");
        Assert.NotEqual(before.Tree, Compute(building).Tree);
    }

    [Fact]
    public async Task A_pipe_or_socket_is_passed_over_and_never_opened()
    {
        var before = Compute();
        Assert.Equal(0, MakeFifo(Path.Combine(_folder.Path, "web/pipe"), 0b110_110_110));
        Assert.Equal(before.Tree, (await Task.Run(() => Compute()).WaitAsync(TimeSpan.FromSeconds(30))).Tree);
    }

    [Fact]
    public void A_second_time_no_unchanged_file_is_read()
    {
        var old = DateTime.UtcNow.AddHours(-1);
        var path = Path.Combine(_folder.Path, "web/app.py");
        var later = new LaterTime(TimeSpan.FromHours(1));
        var first = ContentHash.Compute(Stack(), Stack().Directory, Path.Combine(_state.Path, "cache"), later);
        var cache = HashCache.Load(Path.Combine(_state.Path, "cache"));
        foreach (var entry in first.Entries.Where(entry => entry.Status.Kind == FileKind.File))
        {
            cache.Get(entry, () => throw new InvalidOperationException($"{entry.Path} was read"));
        }

        // The same size and time as before, and yet seen: the time of the last change of status cannot be set.
        File.WriteAllText(path, "print(9)");
        File.SetLastWriteTimeUtc(path, old);
        Assert.NotEqual(first.Tree, ContentHash.Compute(Stack(), Stack().Directory, Path.Combine(_state.Path, "cache"), later).Tree);
    }

    [Fact]
    public void A_damaged_cache_costs_time_only()
    {
        var cache = Path.Combine(_state.Path, "cache");
        var later = new LaterTime(TimeSpan.FromHours(1));
        var first = ContentHash.Compute(Stack(), Stack().Directory, cache, later);
        var bytes = File.ReadAllBytes(cache);
        File.WriteAllBytes(cache, bytes[..(bytes.Length / 2)]);
        Assert.Equal(first.Tree, ContentHash.Compute(Stack(), Stack().Directory, cache, later).Tree);
        File.WriteAllText(cache, "garbage");
        Assert.Equal(first.Tree, ContentHash.Compute(Stack(), Stack().Directory, cache, later).Tree);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_named_and_can_be_left_out()
    {
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        File.SetUnixFileMode(Path.Combine(_folder.Path, "web/app.py"), (UnixFileMode)0b110_000_000);
        if (!OtherUser.Possible)
        {
            File.SetUnixFileMode(Path.Combine(_folder.Path, "web/app.py"), UnixFileMode.None);
        }

        // Root can read everything, so an ordinary user tries.
        Task<T> Try<T>(Func<T> action) => OtherUser.Possible ? OtherUser.Run(action) : Task.Run(action);
        var error = (await Assert.ThrowsAsync<AshlarException>(() => Try(() => Compute()))).Error;
        Assert.Equal("ASH5003", error.Code);
        Assert.Contains("web/app.py", error.Message);
        _folder.Write(".ashlarignore", "web/app.py");
        await Try(() => Compute());
    }

    private Content Compute(StackDefinition? stack = null) =>
        ContentHash.Compute(stack ?? Stack(), (stack ?? Stack()).Directory, Path.Combine(_state.Path, "cache"), TimeProvider.System);

    private StackDefinition Stack() => new()
    {
        Name = "s",
        Directory = _folder.Path,
        Services =
        [
            new ServiceDefinition { Name = "web", Run = "python3 app.py", Folder = "web" },
            new ServiceDefinition { Name = "api", Run = "python3 app.py", Folder = "./api/" },
        ],
    };

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);

    private sealed class LaterTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
