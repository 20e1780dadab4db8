using System.Text.Json;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.BadInput;

/// <summary>A release that fails, at whatever step, leaves what ran untouched.</summary>
public sealed class FailingReleaseTests
{
    [Fact]
    [Trait("Length", "Full")]
    public async Task A_new_release_that_crashes_is_marked_as_failed_and_the_old_one_goes_on()
    {
        await using var rig = StackRig.Web();
        await rig.UpAsync();
        var before = await rig.PidAsync("web.1");
        rig.Write("ashlar.yaml", Yaml("echo this release is broken; exit 3"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), 5);
        error.Is("ASH2017", "processes", "web.1", "exit 3", "this release is broken");
        await StandsAsync(rig, before, failed: "v2");
    }

    [Fact]
    public async Task A_build_that_fails_names_itself_and_its_last_lines()
    {
        await using var rig = StackRig.Web();
        await rig.UpAsync();
        var before = await rig.PidAsync("web.1");
        rig.Write("ashlar.yaml", Yaml("'@APP@'", "    build: echo compiling; echo missing semicolon in line 7 >&2; exit 4\n"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), 1);
        error.Is("ASH5001", "releases", "web", "v2", "exit 4", "missing semicolon in line 7").Advises("ashlar up");
        await StandsAsync(rig, before, failed: "v2");
    }

    [Fact]
    public async Task A_release_command_that_fails_names_itself_and_its_last_lines()
    {
        await using var rig = StackRig.Web();
        await rig.UpAsync();
        var before = await rig.PidAsync("web.1");
        rig.Write("ashlar.yaml", Yaml("'@APP@'", more: "release: echo column name exists already; exit 9\n"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), 1);
        error.Is("ASH5002", "releases", "v2", "exit 9", "column name exists already").Advises("ashlar up");
        await StandsAsync(rig, before, failed: "v2");
    }

    [Fact]
    public async Task A_first_release_whose_build_fails_leaves_nothing_running()
    {
        await using var rig = new StackRig(Yaml("'@APP@'", "    build: no-such-compiler\n"));
        var error = Refusal.Of(await rig.AshlarAsync("up", "--detach"), 1);
        error.Is("ASH5001", "releases", "web", "no-such-compiler", "not found");
        rig.IsGone();
    }

    [Fact]
    public async Task A_build_that_ends_leaves_the_builds_of_other_stacks_alone()
    {
        await using var slow = new StackRig(Yaml("'@APP@'", "    build: touch $BUILDS; until [ -e $GO ]; do sleep 0.1; done\n    env: {BUILDS: @APP@.builds, GO: @APP@.go}\n"));
        await using var quick = new StackRig(Yaml("'@APP@'", "    build: echo built\n"));
        var app = File.ReadAllText(Path.Combine(slow.Folder, "ashlar.yaml")).Split("GO: ")[1].Split(".go")[0];
        File.SetUnixFileMode(Path.GetDirectoryName(app)!, (UnixFileMode)0b111_111_111);
        var up = slow.UpAsync();
        while (!File.Exists(app + ".builds") && !up.IsCompleted)
        {
            await Task.Delay(20);
        }
        await quick.UpAsync();
        File.WriteAllText(app + ".go", "");
        await up;
        await slow.ServesAsync();
    }

    private static async Task StandsAsync(StackRig rig, int pid, string failed)
    {
        Assert.Equal(pid, await rig.PidAsync("web.1"));
        await rig.ServesAsync();
        using var releases = JsonDocument.Parse(await rig.DoAsync("releases", "--json"));
        var states = releases.RootElement.GetProperty("releases").EnumerateArray()
            .ToDictionary(r => r.GetProperty("name").GetString()!, r => r.GetProperty("status").GetString());
        Assert.Equal("failed", states[failed], ignoreCase: true);

        // Put right, it comes up as the next one.
        rig.Write("ashlar.yaml", Yaml("'@APP@'", "    env: {MENDED: \"yes\"}\n"));
        await rig.UpAsync();
        Assert.Equal("yes\n", (await rig.GetAsync("/env?name=MENDED")).Body);
    }

    private static string Yaml(string run, string service = "", string more = "") => $$"""
        name: rig
        services:
          web:
            run: "{{run}}"
            route: /
            health: /up
        {{service}}{{more}}edge:
          listen: {http: "127.0.0.1:@PORT@"}
        """;
}
