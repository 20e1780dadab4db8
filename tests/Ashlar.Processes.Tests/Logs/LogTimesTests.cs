using System.Globalization;
using Ashlar.Testing;

namespace Ashlar.Processes.Tests.Logs;

public sealed class LogTimesTests : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);
    private readonly TempFolder _folder = new();
    private readonly WallClock _time = new() { Now = Noon };
    private readonly LogClock _clock;

    public LogTimesTests() => _clock = new LogClock(_time);

    private string Log => Path.Combine(_folder.Path, "log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_line_has_the_time_at_which_the_log_was_written_not_that_of_the_look()
    {
        Look(0);
        Write(0.3, "one\n");
        Look(1);
        Look(2);
        Write(2.7, "two\n");
        Look(3);
        Assert.Equal(["one 0.3", "two 2.7"], Times(new LogHistory(Log).Last(9)));
    }

    [Fact]
    public void Lines_between_two_looks_are_spread_over_the_time_between_them_even_after_a_long_quiet()
    {
        Look(0);
        Write(0.5, "x\n");
        for (var second = 1; second <= 600; second++)
            Look(second);
        Write(600.8, "aaa\nbbb\nccc\nddd\n");
        Look(601);
        Assert.Equal(["x 0.5", "aaa 600.2", "bbb 600.4", "ccc 600.6", "ddd 600.8"], Times(new LogHistory(Log).Last(9)));
    }

    [Fact]
    public void What_was_written_since_the_last_look_counts_as_younger_than_it_while_somebody_looks()
    {
        Look(0);
        Write(0.5, "x\n");
        Look(1);
        Write(100, "aa\nbb\n");
        Assert.Equal(["aa 99.5", "bb 100"], Times(new LogHistory(Log, Noon.AddSeconds(99)).Last(2)));
        // Nobody has looked since 1: it may have been written at any time.
        Assert.Equal(["aa 50.3", "bb 100"], Times(new LogHistory(Log).Last(2)));
    }

    [Fact]
    public void The_lines_since_a_time_come_across_rotations_and_no_older_file_is_asked()
    {
        Look(0);
        for (var second = 0; second < 50; second++)
        {
            Write(second + 0.5, string.Create(CultureInfo.InvariantCulture, $"line {second}\n"));
            Look(second + 1);
            if (second % 10 == 9)
                Rotate();
        }
        Assert.Equal(Enumerable.Range(23, 27).Select(i => $"line {i}"), Since(23.2));
        Assert.Equal(["line 49"], Since(49.2));
        Assert.Empty(Since(50));
        Assert.Equal(50, Since(-1).Count());
        File.Delete(LogTimes.PathOf(LogRotation.Rotated(Log, 4)));
        Assert.Equal(Enumerable.Range(20, 30).Select(i => $"line {i}"), Since(-1));
    }

    [Fact]
    public void A_part_that_rotation_leaves_out_takes_its_times_with_it()
    {
        Look(0);
        for (var second = 0; second < 8; second++)
        {
            Write(second + 0.5, string.Concat(Enumerable.Repeat($"{second}\n", 1 << 19)));
            Look(second + 1);
        }
        // Of eight MiB the last is kept.
        Assert.True(new LogRotation { MaximumBytes = 1 << 20 }.RotateIfDue(Log, _time));
        _clock.Forget(Log);
        Write(9.5, "after\n");
        Look(10);
        Assert.Equal(["7", "after"], Since(-1).Distinct());
        Assert.Equal(["after"], Since(8.8));
    }

    [Fact]
    public async Task A_reader_misses_nothing_and_reads_nothing_twice_while_the_log_is_rotated()
    {
        var clock = new LogClock();
        var rotation = new LogRotation { MaximumBytes = 1, Keep = 1000 };
        File.WriteAllText(Log, "");
        var writing = Task.Run(() =>
        {
            var random = new Random(7);
            for (var (line, next) = (0, 0); line < 30_000; line++)
            {
                File.AppendAllText(Log, $"{line}\n");
                if (line % 10 == 0)
                    clock.Note(new FileInfo(Log));
                if (line != next)
                    continue;
                next = line + random.Next(300, 1500);
                if (rotation.RotateIfDue(Log))
                    clock.Forget(Log);
            }
        });
        do
        {
            var lines = new LogHistory(Log).Since(DateTimeOffset.MinValue)?.Select(line => int.Parse(line.Text, CultureInfo.InvariantCulture)).ToList() ?? [];
            Assert.Equal(Enumerable.Range(0, lines.Count), lines);
        }
        while (!writing.IsCompleted);
        await writing;
        Assert.Equal(30_000, new LogHistory(Log).Since(DateTimeOffset.MinValue)!.Count());
    }

    [Fact]
    public void A_new_clock_goes_on_where_the_one_before_has_stopped()
    {
        Look(0);
        Write(0.5, "one\n");
        Look(1);
        File.AppendAllText(LogTimes.PathOf(Log), "torn");
        var next = new LogClock(_time);
        Write(10.5, "two\n");
        _time.Now = Noon.AddSeconds(11);
        next.Note(new FileInfo(Log));
        Assert.Equal(["one 0.5", "two 10.5"], Times(new LogHistory(Log).Last(9)));
    }

    [Fact]
    public void A_log_that_somebody_has_cut_begins_anew()
    {
        Look(0);
        Write(0.5, "long long long\n");
        Look(1);
        File.WriteAllText(Log, "");
        Write(5.5, "x\n");
        Assert.Null(LogTimes.Read(Log));
        Look(6);
        Assert.Equal(["x 5.5"], Times(new LogHistory(Log).Last(9)));
    }

    [Fact]
    public void The_times_of_a_log_that_never_rests_stay_within_a_mebibyte_and_the_young_ones_exact()
    {
        File.WriteAllText(Log, "");
        var last = 0.0;
        for (var second = 1; second <= 50_000; second++)
        {
            last = second - 0.25;
            Write(last, "x\n");
            Look(second);
        }
        var file = new FileInfo(LogTimes.PathOf(Log));
        Assert.InRange(file.Length, 100_000, 1 << 20);
        var times = LogTimes.Read(Log)!;
        Assert.Equal(Noon.AddSeconds(last), times.At(100_000));
        Assert.Equal(Noon.AddSeconds(last - 1000), times.At(98_000));
        Assert.InRange(times.At(200), Noon.AddSeconds(80), Noon.AddSeconds(120));
    }

    [Fact]
    public void A_damaged_file_is_none() => Fuzz(seed: 11, rounds: 2_000);

    [Fact, Trait("Length", "Full")]
    public void A_damaged_file_is_none_for_long() => Fuzz(seed: 12, rounds: 100_000);

    // Whatever the bytes are: no times, or times that neither fall nor leave the calendar.
    private void Fuzz(int seed, int rounds)
    {
        var random = new Random(seed);
        File.WriteAllBytes(Log, new byte[10_000]);
        for (var round = 0; round < rounds; round++)
        {
            var note = $"seed {seed}, round {round}";
            var points = new List<(long, long)>();
            var (ticks, length) = (Noon.UtcTicks, 0L);
            for (var i = random.Next(40); i >= 0; i--)
                points.Add((ticks += random.Next(100_000_000), length += random.Next(300)));
            var bytes = LogTimes.Format(points);
            for (var i = random.Next(4); i > 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            bytes = bytes[..random.Next(bytes.Length + 1)];
            if (LogTimes.Parse(bytes) is { } parsed)
                Assert.Equal(bytes[..(bytes.Length / 16 * 16)], LogTimes.Format(parsed.Points));
            File.WriteAllBytes(LogTimes.PathOf(Log), bytes);
            if (LogTimes.Read(Log, Noon) is not { } times)
                continue;
            var before = times.Begin;
            for (var end = 0; end <= 10_000; end += 500)
            {
                var at = times.At(end);
                Assert.True(at >= before, note);
                Assert.True(times.OlderThan(at) <= end, note);
                before = at;
            }
        }
    }

    private void Look(double second)
    {
        _time.Now = Noon.AddSeconds(second);
        if (!File.Exists(Log))
            Write(second, "");
        _clock.Note(new FileInfo(Log));
    }

    private void Write(double second, string text)
    {
        File.AppendAllText(Log, text);
        File.SetLastWriteTimeUtc(Log, Noon.AddSeconds(second).UtcDateTime);
    }

    private void Rotate()
    {
        Assert.True(new LogRotation { MaximumBytes = 1, Keep = 9 }.RotateIfDue(Log, _time));
        _clock.Forget(Log);
    }

    private IEnumerable<string> Since(double second) => new LogHistory(Log).Since(Noon.AddSeconds(second))!.Select(line => line.Text);

    private static IEnumerable<string> Times(IEnumerable<LogLine> lines) => lines.Select(line =>
        string.Create(CultureInfo.InvariantCulture, $"{line.Text} {(line.Time!.Value - Noon).TotalSeconds:0.#}"));

    private sealed class WallClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
