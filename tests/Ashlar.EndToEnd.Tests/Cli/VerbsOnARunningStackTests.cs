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
          greet:
            run: echo "$GREETING from $ASHLAR_SERVICE"
            instances: 0
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
    [Trait("Length", "Full")]
    public async Task Logs_come_in_the_order_in_which_they_were_written_though_no_program_writes_times()
    {
        using var shared = new TempFolder();
        shared.Write("turn", "1");
        File.SetUnixFileMode(Path.Combine(shared.Path, "turn"), (UnixFileMode)0b110_110_110);
        File.SetUnixFileMode(shared.Path, (UnixFileMode)0b111_101_101);
        string Takes(int first) => $"for i in {first} {first + 2} {first + 4} {first + 6}; do while [ \"$(cat {shared.Path}/turn)\" != $i ]; do sleep 0.05; done; "
            + $"echo turn $i; sleep 1.6; echo $((i+1)) > {shared.Path}/turn; done; exec sleep 1000";
        await using var rig = new StackRig($$"""
            name: rig
            services:
              odd: {run: '{{Takes(1)}}'}
              even: {run: '{{Takes(2)}}'}
            edge:
              listen: {http: "127.0.0.1:@PORT@"}
            """);
        await rig.UpAsync();
        while (File.ReadAllText(Path.Combine(shared.Path, "turn")).Trim() != "9")
        {
            await Task.Delay(100);
        }

        var lines = (await rig.DoAsync("logs", "odd", "even", "--plain")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Enumerable.Range(1, 8).Select(i => $"turn {i}"), lines);
        var young = (await rig.DoAsync("logs", "odd", "even", "--plain", "--since", "7s")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(young.Length, 1, 7);
        Assert.Equal(lines[^young.Length..], young);
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z odd.1 +\| turn 1$", (await rig.DoAsync("logs", "odd", "-T")).Split('\n')[0]);
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

        var named = await RunAsync(rig, "run", "--stack", rig.Folder, "greet");
        Assert.Equal((0, "hello from greet\n"), (named.ExitCode, named.Output));
        named = await RunAsync(rig, "run", "--stack", rig.Folder, "greet", "and so on");
        Assert.Equal((0, "hello from greet and so on\n"), (named.ExitCode, named.Output));

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
