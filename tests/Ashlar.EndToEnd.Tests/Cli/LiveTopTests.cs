using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Cli;

/// <summary><c>ashlar top</c> as a person sees it: in a terminal of its own, made by script(1).</summary>
[Trait("Length", "Full")]
public sealed class LiveTopTests
{
    private const string LeavesWholeScreen = "\e[?25h\e[?1049l";

    [Theory]
    [InlineData("q", 0)]
    [InlineData("\x03", 130)]
    public async Task It_follows_the_size_of_the_terminal_and_gives_it_back_as_it_was(string key, int code)
    {
        await using var rig = StackRig.Web();
        await rig.UpAsync();
        await using var terminal = new PseudoTerminal($"trap : INT; tty; stty rows 30 cols 150; stty -g; '{Checkout.Ashlar}' top --stack '{rig.Folder}'; echo \"code $?\"; stty -g");
        var device = (await terminal.SaysAsync("/dev/pts/[0-9]+")).Value;
        var before = (await terminal.SaysAsync("[0-9a-f]+(:[0-9a-f]+)+")).Value;
        await terminal.SaysAsync("sorted by name: n name, c cpu, m memory, r requests · q quits");
        await terminal.TypeAsync("c");
        await terminal.SaysAsync("sorted by cpu");
        Assert.Equal(0, (await ProgramRun.RunAsync("stty", ["-F", device, "rows", "8", "cols", "40"])).ExitCode);
        await terminal.SaysAsync("sorted by cpu: n name, c cpu, m memory,…");
        await terminal.TypeAsync(key);
        Assert.Equal($"code {code}", (await terminal.SaysAsync("code [0-9]+")).Value);
        Assert.Contains(LeavesWholeScreen, terminal.Seen, StringComparison.Ordinal);
        await terminal.SaysAsync(Regex.Escape(before));
    }

    /// <summary>A shell in a terminal.</summary>
    private sealed class PseudoTerminal : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
        private readonly Process _script;
        private readonly StringBuilder _seen = new();
        private readonly SemaphoreSlim _more = new(0);
        private readonly Task _reading;
        private int _at;

        public PseudoTerminal(string commands)
        {
            var start = new ProcessStartInfo("script", ["-q", "-e", "-f", "-c", commands, "/dev/null"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
            start.Environment["TERM"] = "xterm";
            start.Environment["SHELL"] = "/bin/sh";
            _script = Process.Start(start)!;
            _reading = ReadAsync();
        }

        /// <summary>All that it has shown.</summary>
        public string Seen
        {
            get
            {
                lock (_seen)
                {
                    return _seen.ToString();
                }
            }
        }

        public async Task TypeAsync(string keys)
        {
            await _script.StandardInput.WriteAsync(keys);
            await _script.StandardInput.FlushAsync();
        }

        /// <summary>Waits until it has shown this, after what was waited for before.</summary>
        public async Task<Match> SaysAsync(string pattern)
        {
            using var patience = new CancellationTokenSource(Patience);
            while (true)
            {
                var found = new Regex(pattern).Match(Seen, _at);
                if (found.Success)
                {
                    _at = found.Index + found.Length;
                    return found;
                }

                try
                {
                    await _more.WaitAsync(patience.Token);
                }
                catch (OperationCanceledException e)
                {
                    throw new TimeoutException($"{pattern} is not in: {Seen[_at..]}", e);
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            _script.Kill(entireProcessTree: true);
            await _reading;
            _script.Dispose();
            _more.Dispose();
        }

        private async Task ReadAsync()
        {
            var room = new char[4096];
            while (await _script.StandardOutput.ReadAsync(room) is > 0 and var read)
            {
                lock (_seen)
                {
                    _seen.Append(room, 0, read);
                }

                _more.Release();
            }
        }
    }
}
