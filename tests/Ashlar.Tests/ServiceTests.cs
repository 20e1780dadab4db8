using Ashlar.Processes;
using Ashlar.Systemd;

namespace Ashlar;

public sealed class ServiceTests : IDisposable
{
    private readonly CliRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public void The_unit_restarts_the_agent_and_leaves_the_apps_alone()
    {
        var text = new UnitFile("shop", "/srv/my shop", "/opt/ashlar/ashlar", OfSystem: true).Render();
        string[] wanted =
        [
            "Type=notify", "WatchdogSec=30", "Restart=always", "KillMode=process", "Delegate=yes", "WantedBy=multi-user.target",
            "ExecStart=\"/opt/ashlar/ashlar\" agent --stack \"/srv/my shop\"",
            "ExecReload=\"/opt/ashlar/ashlar\" up --detach --stack \"/srv/my shop\"",
        ];
        Assert.All(wanted, line => Assert.Contains(line, text.Split('\n')));
    }

    [Fact]
    public void Signs_that_systemd_would_read_are_escaped()
    {
        var text = new UnitFile("shop", "/srv/50% \"off\" $now", "/opt/ashlar", OfSystem: false).Render();
        Assert.Contains("""--stack "/srv/50%% \"off\" $$now" """.TrimEnd(), text);
        Assert.Contains("WantedBy=default.target", text);
    }

    [Theory]
    [InlineData("/home/ann/.dotnet/shared/Microsoft.NETCore.App/10.0.1/", "", "/home/ann/.dotnet")]
    [InlineData("/home/ann/.dotnet/shared/Microsoft.NETCore.App/10.0.1/", "/home/ann/.dotnet\n", null)]
    [InlineData("/home/ann/.dotnet/shared/Microsoft.NETCore.App/10.0.1/", "/usr/lib/dotnet\n", "/home/ann/.dotnet")]
    [InlineData("/opt/ashlar/", "", null)]
    public void A_runtime_that_is_not_where_a_program_looks_is_named_in_the_unit(string runtime, string registered, string? root)
    {
        Assert.Equal(root, RuntimeRoot.ToBeTold(RuntimeRoot.Of(runtime), registered.Length == 0 ? [] : [registered]));
        var lines = new UnitFile("shop", "/srv/shop", "/opt/ashlar/ashlar", OfSystem: true, root).Render().Split('\n');
        Assert.Equal(root is null ? [] : [$"Environment=\"DOTNET_ROOT={root}\""], lines.Where(line => line.StartsWith("Environment=\"DOTNET_ROOT")));
    }

    [Fact]
    public void The_unit_has_the_folders_of_PATH_that_are_there_and_for_the_machine_only_those_of_root()
    {
        var path = string.Join(':', "/usr/bin", "bin", "", _rig.Folder.Path, "/nowhere/bin", "/usr/bin", "/tmp", "/usr/sbin");
        Assert.Equal($"/usr/bin:{_rig.Folder.Path}:/tmp:/usr/sbin", SearchPath.Of(path, ofSystem: false));
        Assert.Equal("/usr/bin:/usr/sbin", SearchPath.Of(path, ofSystem: true, folder => folder == _rig.Folder.Path ? 1000u : 0u));
        Assert.Null(SearchPath.Of("/nowhere", ofSystem: true));
        var unit = new UnitFile("shop", "/srv/shop", "/opt/ashlar/ashlar", OfSystem: true, SearchPath: "/usr/local/bin:/usr/bin");
        Assert.Contains("Environment=\"PATH=/usr/local/bin:/usr/bin\"", unit.Render().Split('\n'));
    }

    [Fact]
    public async Task In_a_checkout_the_unit_names_the_newest_build_not_one_that_will_be_removed()
    {
        _rig.Folder.Write("ashlar.yaml", "name: shop\nservices: {web: {run: sleep 1000}}\n");
        _rig.Folder.Write(".build/ashlar/ashlar", "");
        _rig.Environment["ASHLAR_CHECKOUT"] = _rig.Folder.Path;
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("service", "install", "--print"));
        Assert.Contains($"ExecStart=\"{_rig.Folder.Path}/.build/ashlar/ashlar\" agent", _rig.Out.ToString());
    }

    [Fact]
    public async Task The_unit_is_printed_or_written_without_systemd()
    {
        _rig.Folder.Write("ashlar.yaml", "name: shop\nservices: {web: {run: sleep 1000}}\n");
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("service", "install", "--print"));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("service", "install", "--output", "shop.service"));
        Assert.Equal(File.ReadAllText(Path.Combine(_rig.Folder.Path, "shop.service")), _rig.Out.ToString()[..^"wrote shop.service; it belongs to /etc/systemd/system/ashlar-shop.service\n".Length]);
    }
}
