using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Delivery.Releases;

/// <summary>One command of a release, run to its end: a service's build, or the stack's release command.</summary>
/// <param name="Command">As the stack file has it.</param>
/// <param name="Label">Stands before each line of its output: <c>build web</c>.</param>
/// <param name="Folder">Absolute folder it runs in.</param>
/// <param name="Environment">Its whole environment.</param>
/// <param name="User">User it runs as; null: ours.</param>
/// <param name="Home">Folder that is HOME where the user has none of its own.</param>
/// <param name="Log">File its output is appended to.</param>
/// <param name="Tag">Marks its processes, so that strays are found.</param>
internal sealed record BuildStep(
    string Command,
    string Label,
    string Folder,
    ImmutableSortedDictionary<string, string> Environment,
    SystemUser? User,
    string Home,
    string Log,
    string Tag)
{
    /// <summary>
    /// The kernel counts what it kills for want of memory only in a group with a limit: all that the machine has limits nothing,
    /// and a compiler that was killed below a shell that goes on is known.
    /// </summary>
    public long? Memory { get; init; } = MachineMemory();

    private const int QuotedLines = 20;
    private const int LongestLine = 4096;
    private static readonly TimeSpan TailInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(5);

    /// <summary>Runs it. The output goes to the log, and line by line to <paramref name="progress"/>.</summary>
    /// <returns>How it ended (a success only with exit 0, and if nothing of it was killed for want of memory), and its last 20 lines.</returns>
    /// <exception cref="Errors.AshlarException">ASH20xx: it cannot be started.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the command has been stopped.</exception>
    public async Task<(ExitReport Exit, IReadOnlyList<string> LastLines)> RunAsync(
        ProcessLauncher launcher, Action<string> progress, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var begin = File.Exists(Log) ? new FileInfo(Log).Length : 0;
        var command = ShellCommand.ToArguments(Command);
        var spec = new LaunchSpec
        {
            // An account without a home (nobody) gets one for its caches; build tools refuse to run without.
            Command = User is null || Directory.Exists(User.Home) ? command : ["/usr/bin/env", $"HOME={Home}", .. command],
            Environment = Environment,
            WorkingDirectory = Folder,
            LogPath = Log,
            User = User?.Name,
            Memory = Memory,
            Tag = Tag,
        };
        var process = launcher.Start(spec);
        using var log = new FileStream(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Position = begin;
        var lines = new LineReader(log);
        var last = new Queue<string>();
        void Pass()
        {
            foreach (var line in lines.Read())
            {
                if (last.Count == QuotedLines)
                {
                    last.Dequeue();
                }

                last.Enqueue(line);
                progress($"{Label} | {line}");
            }
        }

        try
        {
            while (!process.Exited.IsCompleted)
            {
                await Task.WhenAny(process.Exited, Task.Delay(TailInterval, cancellation)).ConfigureAwait(false);
                cancellation.ThrowIfCancellationRequested();
                Pass();
            }
        }
        catch (OperationCanceledException)
        {
            await process.StopAsync(StopGrace).ConfigureAwait(false);
            throw;
        }

        var exit = await process.Exited.ConfigureAwait(false);
        Pass();
        lines.End();
        Pass();
        // It may have ended because of the cancellation: then what it made is half made, whatever it says.
        cancellation.ThrowIfCancellationRequested();
        return (exit, [.. last]);
    }

    private static long? MachineMemory()
    {
        var total = File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return long.TryParse(total.ElementAtOrDefault(1), NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes) ? kilobytes << 10 : null;
    }

    /// <summary>Lines of a file that grows; long ones are split.</summary>
    private sealed class LineReader(Stream stream)
    {
        private readonly byte[] _buffer = new byte[16 << 10];
        private readonly List<byte> _line = [];
        private bool _ended;

        public void End() => _ended = true;

        public IEnumerable<string> Read()
        {
            int got;
            while ((got = stream.Read(_buffer)) > 0)
            {
                for (var i = 0; i < got; i++)
                {
                    if (_buffer[i] != '\n')
                    {
                        _line.Add(_buffer[i]);
                    }

                    if (_buffer[i] == '\n' || _line.Count == LongestLine)
                    {
                        yield return Take();
                    }
                }
            }

            if (_ended && _line.Count > 0)
            {
                yield return Take();
            }
        }

        private string Take()
        {
            var text = Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(_line)).TrimEnd('\r');
            _line.Clear();
            return text;
        }
    }
}
