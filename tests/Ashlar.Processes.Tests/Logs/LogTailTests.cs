using System.Text;
using Ashlar.Testing;

namespace Ashlar.Processes.Tests.Logs;

public sealed class LogTailTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly CancellationTokenSource _end = new(Lab.Patience * 2);

    private string Log => Path.Combine(_folder.Path, "web.1.log");

    public void Dispose()
    {
        _end.Dispose();
        _folder.Dispose();
    }

    private async Task<List<LogLine>> Read(LogTail tail, int count, long offset = 0, Action<LogLine>? each = null, string? last = null)
    {
        var lines = new List<LogLine>();
        await foreach (var line in tail.FollowAsync(offset, _end.Token))
        {
            lines.Add(line);
            each?.Invoke(line);
            if (lines.Count == count || line.Text == last)
                break;
        }
        return lines;
    }

    [Fact]
    public async Task Lines_are_followed_as_they_are_written_also_before_there_is_a_log()
    {
        var reading = Read(new LogTail(Log), 3);
        File.AppendAllText(Log, "one\ntw");
        File.AppendAllText(Log, "o\nthree\n");
        Assert.Equal(["one", "two", "three"], (await reading).Select(line => line.Text));
    }

    [Fact]
    public async Task Reading_goes_on_where_it_ended()
    {
        File.WriteAllText(Log, "one\ntwo\nthree\n");
        var first = await Read(new LogTail(Log), 1);
        Assert.Equal(["two", "three"], (await Read(new LogTail(Log), 2, first[0].End)).Select(line => line.Text));
        Assert.Equal(14, LogTail.End(Log));
    }

    [Fact]
    public async Task A_partial_line_is_held_until_its_newline_or_a_short_time()
    {
        File.WriteAllText(Log, "Password: ");
        var lines = await Read(new LogTail(Log), 2, 0, line => File.AppendAllText(Log, line.Complete ? "" : "secret\n"));
        Assert.Equal([("Password: ", false), ("secret", true)], lines.Select(line => (line.Text, line.Complete)));
    }

    [Fact] // 29
    public async Task Rotation_by_size_keeps_the_writers_descriptor_valid_and_loses_no_line()
    {
        using var lab = new Lab();
        var rotation = new LogRotation { MaximumBytes = 4_000, Keep = 100 };
        var process = lab.StartShell($"i=0; until [ -e '{lab.LogPath}.enough' ]; do i=$((i+1)); echo line $i; [ $((i % 100)) != 0 ] || sleep 0.01; done; echo end");
        var seen = 0;
        var rotations = 0;
        var reading = Task.Run(() => Read(new LogTail(lab.LogPath), int.MaxValue, 0, line => Volatile.Write(ref seen, Number(line.Text)), last: "end"));
        // Not again before the reader has come to the new file: it may sleep through one rotation, not through two.
        for (var cut = -1; !process.Exited.IsCompleted; await Task.Delay(5))
        {
            if (Volatile.Read(ref seen) > cut && rotation.RotateIfDue(lab.LogPath))
            {
                cut = Number(LogTail.Last(LogRotation.Rotated(lab.LogPath, 1), 1)[0].Text);
                if (++rotations == 3)
                    File.WriteAllText($"{lab.LogPath}.enough", "");
            }
        }
        Assert.True(File.Exists(LogRotation.Rotated(lab.LogPath, 3)));
        // A line may be lost between copy and truncation, if the writer hits that moment; what is in the files must reach the reader.
        var written = string.Concat(Enumerable.Range(1, 99).Reverse().Select(i => LogRotation.Rotated(lab.LogPath, i)).Where(File.Exists).Select(File.ReadAllText)
            .Append(lab.Log)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("end", written[^1]);
        Assert.InRange(written.Length - 1, Number(written[^2]) - 50, Number(written[^2]));
        Assert.Equal(written, (await reading).Select(line => line.Text));
    }

    private static int Number(string line) => line.Split(' ') is ["line", var number] ? int.Parse(number) : int.MaxValue;

    [Fact] // 29
    public void Rotation_by_age_and_only_so_many_files_are_kept()
    {
        var rotation = new LogRotation { MaximumBytes = 1 << 20, MaximumAge = TimeSpan.FromDays(1), Keep = 2 };
        foreach (var text in new[] { "first\n", "second\n", "third\n" })
        {
            File.AppendAllText(Log, text);
            Assert.False(rotation.RotateIfDue(Log, new ShiftedTime(TimeSpan.FromHours(23))));
            Assert.True(rotation.RotateIfDue(Log, new ShiftedTime(TimeSpan.FromHours(25))));
            Assert.False(rotation.RotateIfDue(Log, new ShiftedTime(TimeSpan.FromHours(25))));
        }
        Assert.Equal("third\n", File.ReadAllText(LogRotation.Rotated(Log, 1)));
        Assert.Equal("second\n", File.ReadAllText(LogRotation.Rotated(Log, 2)));
        Assert.False(File.Exists(LogRotation.Rotated(Log, 3)));
        Assert.Equal("", File.ReadAllText(Log));
    }

    [Fact]
    public async Task A_follower_reads_on_across_a_rotation_that_it_slept_through()
    {
        File.WriteAllText(Log, "one\ntwo\nthree\n");
        var tail = new LogTail(Log);
        var lines = await Read(tail, 4, 0, line =>
        {
            if (line.Text != "one")
                return;
            new LogRotation { MaximumBytes = 1 }.RotateIfDue(Log);
            File.AppendAllText(Log, "four, in the new file, which is longer than the old one was\n");
        });
        Assert.Equal(["one", "two", "three"], lines[..3].Select(line => line.Text));
        Assert.StartsWith("four", lines[3].Text);
        Assert.Equal(0, tail.Gaps);
    }

    [Fact]
    public async Task A_log_cut_by_somebody_else_is_read_from_its_new_beginning_and_counted()
    {
        File.WriteAllText(Log, "one\ntwo\n");
        var tail = new LogTail(Log);
        var lines = await Read(tail, 3, 0, line =>
        {
            if (line.Text == "two")
                File.WriteAllText(Log, "new\n");
        });
        Assert.Equal(["one", "two", "new"], lines.Select(line => line.Text));
        Assert.Equal(1, tail.Gaps);
    }

    [Theory]
    [InlineData("", 5, "")]
    [InlineData("a\nb\nc\n", 2, "b,c")]
    [InlineData("a\nb\nc", 2, "b,c")]
    [InlineData("a\nb\n", 20, "a,b")]
    public void The_last_lines_are_read_from_the_end(string text, int count, string expected)
    {
        File.WriteAllText(Log, text);
        Assert.Equal(expected, string.Join(',', LogTail.Last(Log, count).Select(line => line.Text)));
    }

    [Fact]
    public void The_last_lines_of_a_huge_log_cost_a_bounded_read()
    {
        using (var log = File.Create(Log))
        {
            log.SetLength(5L << 30); // Sparse: zeros without newline.
            log.Seek(0, SeekOrigin.End);
            log.Write(Encoding.ASCII.GetBytes("\nlast but one\nlast\n"));
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(["last but one", "last"], LogTail.Last(Log, 2).Select(line => line.Text));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 8 << 20);
        Assert.Empty(LogTail.Last(Path.Combine(_folder.Path, "none"), 3));
    }

    [Fact]
    public void The_last_lines_reach_into_the_rotated_file()
    {
        File.WriteAllText(Log, "one\ntwo\n");
        new LogRotation { MaximumBytes = 1 }.RotateIfDue(Log);
        File.AppendAllText(Log, "three\n");
        Assert.Equal(["two", "three"], LogTail.Last(Log, 2).Select(line => line.Text));
    }

    [Fact] // 30
    public async Task The_last_lines_before_death_are_there_when_the_exit_is_known()
    {
        using var lab = new Lab();
        for (var i = 0; i < 20; i++)
        {
            await lab.RunShell($"echo start; echo 'fatal {i}' >&2; kill -9 $$");
            Assert.Equal($"fatal {i}", LogTail.Last(lab.LogPath, 1)[0].Text);
        }
    }

    [Fact] // 26
    public async Task Lines_of_stdout_and_stderr_written_whole_are_never_mixed()
    {
        using var lab = new Lab();
        await lab.RunShell("""
            (i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "ooooooooooooooooooooooooooooooooooooooooooooooooo $i"; done) &
            (i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee $i" >&2; done) &
            wait
            """);
        var lines = lab.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4000, lines.Length);
        Assert.All(lines, line => Assert.Matches("^(o{49}|e{49}) [0-9]+$", line));
    }

    [Fact] // 28
    public async Task A_child_that_floods_its_output_neither_waits_for_us_nor_costs_us_memory()
    {
        using var lab = new Lab();
        var process = lab.StartShell("head -c 200000000 /dev/zero | tr '\\0' x; echo; echo done");
        Assert.Equal(0, (await process.Exited.WaitAsync(Lab.Patience)).Code); // Nobody reads: it ends all the same.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("done", LogTail.Last(lab.LogPath, 1)[0].Text);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
        Assert.True(new LogRotation { MaximumBytes = 1 << 20 }.RotateIfDue(lab.LogPath));
    }

    private sealed class ShiftedTime(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;
    }
}
