using System.Text.Json;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Cli;

public sealed class VerbsOnARunningStackTests
{
    private const string TwoServices = """
        name: cli
        env: {GREETING: hello}
        services:
          web:
            run: "'@APP@'"
            health: /up
            route: /
          worker:
            run: sh -c 'echo ready; exec sleep 1000'
        edge:
          listen: {http: "127.0.0.1:@PORT@"}
        """;

    [Fact]
    public async Task From_up_to_destroy_every_verb_does_what_it_says()
    {
        await using var rig = new StackRig(TwoServices, "my stack");
        Assert.Contains($"http://127.0.0.1:{rig.Port}", await rig.DoAsync("up", "--detach"));

        Assert.Contains("web 1/1", await rig.DoAsync("ps"));
        await rig.DoAsync("wait", "--timeout", "30s");
        Assert.Contains("healthy", await rig.DoAsync("status"));

        await rig.DoAsync("scale", "web=2");
        Assert.Equal("Healthy", (await rig.InstanceAsync("web.2")).GetProperty("state").GetString());

        var before = await rig.PidAsync("web.1");
        await rig.DoAsync("restart", "web.1");
        Assert.NotEqual(before, await rig.PidAsync("web.1"));

        await rig.DoAsync("stop", "worker");
        Assert.Contains("worker", await rig.DoAsync("status"));
        await rig.DoAsync("start", "worker");
        Assert.Contains("worker.1 | ready", await rig.DoAsync("logs", "worker"));

        var dryRun = await rig.DoAsync("up", "--dry-run");
        Assert.Equal("nothing to do\n", dryRun);

        await rig.DoAsync("down");
        Assert.Equal(4, (await rig.AshlarAsync("ps")).ExitCode);
        Assert.Contains("worker.1 | ready", await rig.DoAsync("logs", "worker"));

        Assert.Equal(6, (await rig.AshlarAsync("destroy")).ExitCode);
        await rig.DoAsync("destroy", "--yes");
        Assert.False(Directory.Exists(Path.Combine(rig.Folder, ".ashlar")));
        Assert.True(File.Exists(Path.Combine(rig.Folder, "ashlar.yaml")));
    }

    [Fact]
    public async Task A_one_off_command_has_the_environment_folder_and_exit_code_of_its_own()
    {
        await using var rig = new StackRig(TwoServices);
        await rig.DoAsync("up", "--detach");

        var run = await RunAsync(rig, "run", "--stack", rig.Folder, "sh", "-c", "echo $GREETING in $(basename $PWD); exit 7");
        Assert.Equal(7, run.ExitCode);
        Assert.StartsWith("hello in ", run.Output);

        var line = await RunAsync(rig, "-a", rig.Folder, "run", "echo $GREETING | tr h j");
        Assert.Equal((0, "jello\n"), (line.ExitCode, line.Output));

        var port = (await rig.InstanceAsync("web.1")).GetProperty("port").GetInt32();
        var exec = await RunAsync(rig, "exec", "--stack", rig.Folder, "web.1", "sh", "-c", "echo $ASHLAR_INSTANCE $PORT");
        Assert.Equal((0, $"web.1 {port}\n"), (exec.ExitCode, exec.Output));

        var input = await ProgramRun.RunAsync(Checkout.Ashlar, ["run", "--stack", rig.Folder, "cat"], input: "through\n");
        Assert.Equal("through\n", input.Output);

        Assert.Equal(127, (await RunAsync(rig, "run", "--stack", rig.Folder, "no-such-program")).ExitCode);
    }

    [Fact]
    public async Task Ps_as_JSON_can_be_read_by_a_program()
    {
        await using var rig = new StackRig(TwoServices);
        await rig.DoAsync("up", "--detach");
        using var report = JsonDocument.Parse(await rig.DoAsync("ps", "--json"));
        Assert.Equal("cli", report.RootElement.GetProperty("stack").GetString());
        Assert.True(report.RootElement.GetProperty("healthy").GetBoolean());
    }

    [Fact]
    public async Task Logs_that_nobody_reads_any_more_end_quietly()
    {
        // The second line finds no reader.
        await using var rig = new StackRig(TwoServices.Replace("exec sleep 1000", "while sleep 0.2; do echo again; done"));
        await rig.DoAsync("up", "--detach");
        var result = await ProgramRun.RunAsync("bash",
            ["-c", $"'{Checkout.Ashlar}' logs worker -f -a '{rig.Folder}' | head -n 1; echo ${{PIPESTATUS[0]}}"], timeoutSeconds: 60);
        Assert.EndsWith("\n141\n", result.Output);
        Assert.Equal("", result.Error);
    }

    private static Task<ProgramResult> RunAsync(StackRig rig, params string[] words) =>
        ProgramRun.RunAsync(Checkout.Ashlar, words, folder: rig.Folder);
}
