using System.Collections.Concurrent;
using System.Text;
using Ashlar.Edge.Logging;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Logging;

public sealed class AccessLogTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ConcurrentQueue<AshlarError> _reports = new();

    private string LogPath => Path.Combine(_folder.Path, "access.log");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Lines_are_written_without_anyone_asking()
    {
        using var log = Open();
        Write(log.CreateBuffer(), "/one");
        Eventually(() => Targets(LogPath) is ["/one"]);
    }

    [Fact]
    public void Closing_writes_what_is_there()
    {
        using (var log = Open())
        {
            Write(log.CreateBuffer(), "/one");
        }

        Assert.Equal(["/one"], Targets(LogPath));
    }

    [Fact]
    public void Lines_of_many_loops_are_all_there_whole_and_each_loop_s_in_order()
    {
        const int Loops = 4, Lines = 5000;
        using (var log = Open())
        {
            var loops = Enumerable.Range(0, Loops).Select(loop => new Thread(() =>
            {
                var buffer = log.CreateBuffer();
                for (var i = 0; i < Lines; i++)
                {
                    Write(buffer, $"/{loop}/{i}");
                    if (i % 100 == 0)
                    {
                        Thread.Yield();
                    }
                }
            })).ToList();
            loops.ForEach(loop => loop.Start());
            loops.ForEach(loop => loop.Join());
            Assert.Equal(0, log.DroppedLines);
        }

        var targets = Targets(LogPath);
        Assert.Equal(Loops * Lines, targets.Count);
        for (var loop = 0; loop < Loops; loop++)
        {
            Assert.Equal(Enumerable.Range(0, Lines).Select(i => $"/{loop}/{i}"), targets.Where(t => t.StartsWith($"/{loop}/", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void A_moved_file_is_made_anew()
    {
        using var log = Open();
        var buffer = log.CreateBuffer();
        Write(buffer, "/old");
        Eventually(() => File.Exists(LogPath) && Targets(LogPath).Count == 1);
        File.Move(LogPath, LogPath + ".1");
        Eventually(() =>
        {
            Write(buffer, "/new");
            return File.Exists(LogPath);
        });
        Eventually(() => Targets(LogPath) is ["/new", ..]);
        Assert.Equal("/old", Targets(LogPath + ".1")[0]);
    }

    [Fact]
    public void Two_processes_append_to_one_file()
    {
        using (var old = Open())
        using (var next = Open())
        {
            var (first, second) = (old.CreateBuffer(), next.CreateBuffer());
            for (var i = 0; i < 1000; i++)
            {
                Write(first, $"/old/{i}");
                Write(second, $"/new/{i}");
            }
        }

        Assert.Equal(2000, Targets(LogPath).Count);
    }

    [Fact]
    public void When_the_file_cannot_be_written_lines_are_counted_and_that_is_said_once()
    {
        var folder = Path.Combine(_folder.Path, "later");
        var path = Path.Combine(folder, "access.log");
        using var log = new AccessLog(path, _reports.Enqueue);
        var buffer = log.CreateBuffer();
        Write(buffer, "/lost");
        Eventually(() => log.DroppedLines == 1);
        Write(buffer, "/lost");
        Eventually(() => log.DroppedLines == 2);
        Assert.Equal("ASH3010", Assert.Single(_reports).Code);

        Directory.CreateDirectory(folder);
        Write(buffer, "/kept");
        Eventually(() => File.Exists(path) && File.ReadAllLines(path) is [_, _]);
        Assert.Contains("/kept", File.ReadAllLines(path)[0], StringComparison.Ordinal);
        Assert.EndsWith("\"dropped\":2}", File.ReadAllLines(path)[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_writer_that_is_behind_makes_no_loop_wait()
    {
        // A FIFO that nobody reads takes 64 KiB and then blocks its writer.
        var fifo = Path.Combine(_folder.Path, "fifo");
        using (var make = System.Diagnostics.Process.Start("mkfifo", [fifo]))
        {
            make.WaitForExit();
        }

        using var reader = new FileStream(fifo, FileMode.Open, FileAccess.ReadWrite);
        var log = new AccessLog(fifo, _reports.Enqueue);
        var buffer = log.CreateBuffer();
        while (log.DroppedLines == 0)
        {
            Write(buffer, "/" + new string('x', 1500));
        }

        // It is read until all is written: what came after the line that the test looks for would block the writer once more.
        var said = new StringBuilder();
        var drain = new Thread(() =>
        {
            var bytes = new byte[65_536];
            while (said.Length == 0 || said[^1] != '\0')
            {
                said.Append(Encoding.ASCII.GetString(bytes, 0, reader.Read(bytes)));
            }
        });
        drain.Start();
        log.Dispose();
        File.AppendAllText(fifo, "\0");
        drain.Join();
        Assert.Contains("dropped", said.ToString(), StringComparison.Ordinal);
    }

    private AccessLog Open() => new(LogPath, _reports.Enqueue);

    private static void Write(AccessLogBuffer buffer, string target) =>
        buffer.Write(new AccessRecord { Target = Encoding.ASCII.GetBytes(target), Status = 200, StartedUnixMs = 1 });

    private static List<string> Targets(string path) =>
        !File.Exists(path) ? [] : [.. File.ReadAllLines(path).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("target").GetString()!)];

    private static void Eventually(Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(30)));
}
