using Ashlar.Logs;
using Ashlar.Output;
using Ashlar.Processes;

namespace Ashlar;

public sealed class LogsTests : IDisposable
{
    private readonly CliRig _rig = new();

    public LogsTests()
    {
        _rig.Agent.Running = false;
        _rig.Folder.Write(".ashlar/logs/web.1.log", "one\ntwo\nthree\n");
        _rig.Folder.Write(".ashlar/logs/web.2.log", "uno\n");
        _rig.Folder.Write(".ashlar/logs/worker.1.log", "job 1\n");
        _rig.Folder.Write(".ashlar/logs/agent.log", "starting web.1\n");
        foreach (var (name, age) in new[] { ("web.1", 30), ("web.2", 20), ("worker.1", 10) })
        {
            File.SetLastWriteTimeUtc(Path.Combine(_rig.Folder.Path, $".ashlar/logs/{name}.log"), CliRig.Now.UtcDateTime.AddMinutes(-age));
        }
    }

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task A_log_that_was_deleted_while_its_instance_runs_is_told_and_still_a_target()
    {
        _rig.Folder.Write(".ashlar/logs/edge.1.log", "");
        _rig.Agent.Running = true;
        _rig.Agent.Reports(CliRig.Storefront);
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("logs", "-n", "0"));
        Assert.Equal("", _rig.Error.ToString());

        File.Delete(Path.Combine(_rig.Folder.Path, ".ashlar/logs/worker.1.log"));
        const string Warning = """
            warning ASH6031 (cli): the log of worker.1 has been deleted while pid 4740 writes to it: what it writes is lost.
            next: ashlar restart worker.1 begins a new one: a process keeps the file that it was started with.

            """;
        foreach (var words in (string[][])[["logs", "worker"], ["logs"], ["status"]])
        {
            _rig.Error.GetStringBuilder().Clear();
            await _rig.RunAsync(words);
            Assert.Equal(Warning, _rig.Error.ToString());
        }

        _rig.Error.GetStringBuilder().Clear();
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("logs", "web"));
        Assert.Equal("", _rig.Error.ToString());
    }

    [Fact]
    public void A_new_file_of_the_name_is_not_the_one_that_the_process_writes_to()
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("sh", ["-c", "exec sleep 1000 >>web.1.log"]) { WorkingDirectory = Path.Combine(_rig.Folder.Path, ".ashlar/logs") })!;
        try
        {
            var report = CliRig.Storefront with
            {
                Tiers = [new("services", [new("web", 1, false, [], [CliRig.Storefront.Tiers[1].Services[0].Instances[0] with { Pids = [process.Id] }])])],
            };
            var folder = LogFolder.Of(_rig.Folder.Path);
            SpinWait.SpinUntil(() => File.ResolveLinkTarget($"/proc/{process.Id}/fd/1", false)?.FullName == folder.FileOf("web.1"), TimeSpan.FromSeconds(30));
            Assert.Empty(LostLog.Of(report, folder));
            File.Delete(folder.FileOf("web.1"));
            File.WriteAllText(folder.FileOf("web.1"), "");
            Assert.Equal([new LostLog("web.1", process.Id)], LostLog.Of(report, folder));
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }
    }

    [Fact]
    public async Task Logs_are_read_without_an_agent_and_say_who_wrote_each_line()
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("logs"));
        Assert.Equal("""
            web.1    | one
            web.1    | two
            web.1    | three
            web.2    | uno
            worker.1 | job 1

            """, _rig.Out.ToString());
    }

    [Theory]
    [InlineData("logs web -n 1 --plain", "three\nuno\n")]
    [InlineData("logs web.1 -n 2 --plain", "two\nthree\n")]
    [InlineData("logs web.1 -n 0 --plain", "")]
    [InlineData("logs agent --plain", "starting web.1\n")]
    [InlineData("logs --since 25m --plain", "uno\njob 1\n")]
    [InlineData("logs worker --json", "{\"instance\":\"worker.1\",\"text\":\"job 1\"}\n")]
    public async Task Targets_counts_and_times_choose_lines(string words, string expected)
    {
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync(words.Split(' ')));
        Assert.Equal(expected, _rig.Out.ToString());
    }

    [Fact]
    public async Task An_unknown_target_is_answered_with_the_nearest()
    {
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync("logs", "wrker"));
        Assert.Contains("Did you mean worker?", _rig.Error.ToString());
    }

    [Fact]
    public async Task Following_shows_new_lines_of_old_and_new_instances_and_the_last_ones_before_it_ends()
    {
        var shown = new List<string>();
        var folder = LogFolder.Of(_rig.Folder.Path);
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var seen = new TaskCompletionSource();
        var follower = new LogFollower(folder, name => name != "agent", TimeProvider.System);
        follower.SkipToEnd();
        var following = follower.FollowAsync((instance, line) =>
        {
            lock (shown) shown.Add($"{instance}: {line}");
            if (line == "uno mas") seen.TrySetResult();
        }, end.Token);
        File.AppendAllText(folder.FileOf("web.1"), "four\n");
        File.WriteAllText(folder.FileOf("web.3"), "hello\n");
        File.AppendAllText(folder.FileOf("web.2"), "uno mas\n");
        await seen.Task;
        File.AppendAllText(folder.FileOf("web.2"), "adios\n");
        await end.CancelAsync();
        await following;
        Assert.Equal(["web.1: four", "web.2: adios", "web.2: uno mas", "web.3: hello"], shown.Order());
    }

    [Fact]
    public void Lines_with_times_are_cut_by_them_and_lines_without_follow_the_one_before()
    {
        string[] lines = ["2026-03-14T14:00:00Z a", "  stack", "2026-03-14 15:00:00,5 b", "  stack", "2026-03-14T16:05:00+01:00 c"];
        Assert.Equal(lines[2..], Since(lines, CliRig.Now.AddMinutes(-15), CliRig.Now));
        Assert.Empty(Since(lines, CliRig.Now, CliRig.Now));
        Assert.Empty(Since(["x"], CliRig.Now, CliRig.Now.AddHours(-1)));
        Assert.Equal(["x", "y"], Since(["x", "y"], CliRig.Now.AddHours(-1), CliRig.Now));

        static IEnumerable<string> Since(string[] lines, DateTimeOffset since, DateTimeOffset lastWrite) =>
            LineTime.Complete([.. lines.Select(line => new InstanceLine("web.1", line, LineTime.Of(line)))], since, lastWrite).Select(line => line.Text);
    }

    [Fact]
    public async Task Lines_of_several_instances_come_in_the_order_in_which_they_were_written()
    {
        Noted((-40, "web.1", "a"), (-30, "web.2", "b"), (-20, "web.1", "c"), (-10, "web.2", "d"));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("logs", "web", "-n", "2", "--plain"));
        Assert.Equal("a\nb\nc\nd\n", _rig.Out.ToString());
    }

    [Theory]
    [InlineData("logs web --plain --since 1m", "b\nc\nd\n")]
    [InlineData("logs web --plain --since 40s", "d\n")]
    [InlineData("logs web --plain --since 1m -n 1", "c\nd\n")]
    [InlineData("logs web.2 --timestamps --since 40s", "2026-03-14T15:09:06.000Z web.2    | d\n")]
    [InlineData("logs web.2 -T --plain --since 40s", "2026-03-14T15:09:06.000Z d\n")]
    [InlineData("logs web.2 --json --since 40s", "{\"instance\":\"web.2\",\"text\":\"d\",\"time\":\"2026-03-14T15:09:06.000Z\"}\n")]
    public async Task A_time_chooses_lines_of_programs_that_write_none(string words, string expected)
    {
        Noted((-100, "web.1", "a"), (-59, "web.2", "b"), (-41, "web.1", "c"), (-20, "web.2", "d"));
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync(words.Split(' ')));
        Assert.Equal(expected, _rig.Out.ToString());
    }

    [Fact]
    public void What_several_lines_say_together_stays_together()
    {
        static InstanceLine At(int second, string instance, string text) => new(instance, text, CliRig.Now.AddSeconds(second));
        var merged = LogMerge.ByTime(
            [
                [At(1, "a", "error"), At(3, "a", "  at here"), At(5, "a", "\tat there"), At(7, "a", "next")],
                [At(2, "b", "x"), At(6, "b", "y")],
                [],
            ]);
        Assert.Equal(["error", "  at here", "\tat there", "x", "y", "next"], merged.Select(line => line.Text));
    }

    // Writes lines as instances would, and what an agent would note of them.
    private void Noted(params (int Second, string Instance, string Text)[] lines)
    {
        var folder = LogFolder.Of(_rig.Folder.Path);
        foreach (var name in lines.Select(line => line.Instance).Distinct())
        {
            File.WriteAllText(folder.FileOf(name), "");
            File.SetLastWriteTimeUtc(folder.FileOf(name), CliRig.Now.UtcDateTime.AddHours(-1));
            new LogClock(new CliRig.FixedTime()).Note(new FileInfo(folder.FileOf(name)));
        }

        foreach (var (second, instance, text) in lines)
        {
            File.AppendAllText(folder.FileOf(instance), text + "\n");
            File.SetLastWriteTimeUtc(folder.FileOf(instance), CliRig.Now.UtcDateTime.AddSeconds(second));
            new LogClock(new CliRig.FixedTime()).Note(new FileInfo(folder.FileOf(instance)));
        }
    }

    [Fact]
    public void Instances_are_ordered_as_people_count() =>
        Assert.Equal(["edge.1", "web.2", "web.10", "worker.1"], new[] { "web.10", "worker.1", "web.2", "edge.1" }.Order(InstanceOrder.Comparer));

    [Fact]
    public void Each_service_has_its_colour_and_what_the_app_coloured_ends_with_its_line()
    {
        var prefix = new LogPrefix(new Screen(TextWriter.Null) { Colour = true });
        Assert.Equal("\e[36mweb.1    |\e[0m a", prefix.Line("web.1", "a"));
        Assert.Equal("\e[33mworker.1 |\e[0m b", prefix.Line("worker.1", "b"));
        Assert.Equal("\e[36mweb.2    |\e[0m \e[31mc\e[0m", prefix.Line("web.2", "\e[31mc"));
    }
}
