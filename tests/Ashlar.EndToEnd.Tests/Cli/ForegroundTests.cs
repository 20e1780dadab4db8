using System.Diagnostics;
using System.Text;
using Ashlar.Testing;

namespace Ashlar.EndToEnd.Cli;

public sealed class ForegroundTests
{
    private const string Chatty = """
        name: foreground
        services:
          worker:
            run: sh -c 'trap "echo farewell; exit 0" TERM; echo hello; while :; do sleep 0.1; done'
        edge:
          listen: {http: "127.0.0.1:@PORT@"}
        """;

    [Fact]
    public async Task Up_shows_what_is_written_and_stops_in_order_at_the_first_interrupt()
    {
        await using var rig = new StackRig(Chatty);
        using var up = new Foreground(rig);
        await up.SaysAsync("is up");
        await up.SaysAsync("worker.1 | hello");
        await up.SaysAsync("Ctrl-C stops the stack");
        up.Signal("INT");
        Assert.Equal(130, await up.EndAsync());
        Assert.Contains("stopping in order", up.Text);
        Assert.Contains("worker.1 | farewell", up.Text);
        Assert.Empty(rig.Leftovers());
    }

    [Fact]
    public async Task A_second_interrupt_stops_at_once_what_does_not_want_to_stop()
    {
        await using var rig = new StackRig(Chatty.Replace("trap \"echo farewell; exit 0\" TERM", "trap \"echo never\" TERM"));
        using var up = new Foreground(rig);
        await up.SaysAsync("is up");
        up.Signal("INT");
        await up.SaysAsync("| never");
        up.Signal("INT");
        Assert.Equal(130, await up.EndAsync());
        Assert.Empty(rig.Leftovers());
    }

    [Fact]
    public async Task An_interrupt_ends_only_the_view_of_a_stack_that_ran_before()
    {
        await using var rig = new StackRig(Chatty);
        await rig.DoAsync("up", "--detach");
        using var up = new Foreground(rig);
        await up.SaysAsync("Ctrl-C leaves the view; the stack goes on");
        await up.SaysAsync("nothing had changed");
        up.Signal("INT");
        Assert.Equal(130, await up.EndAsync());
        await up.SaysAsync("the stack goes on; \"ashlar down\" stops it");
        Assert.DoesNotContain("stopping", up.Text);
        Assert.Contains("healthy", await rig.DoAsync("status"));
    }

    [Fact]
    public async Task What_was_ordered_is_carried_out_after_an_interrupt()
    {
        await using var rig = new StackRig(Chatty);
        await rig.DoAsync("up", "--detach");
        var (file, go) = (Path.Combine(rig.Folder, "ashlar.yaml"), Path.Combine(rig.Folder, ".ashlar", "go"));
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("    run:", $"    build: while [ ! -e {go} ]; do sleep 0.1; done\n    run:"));
        using (var up = new Foreground(rig))
        {
            await up.SaysAsync("building");
            up.Signal("INT");
            Assert.Equal(130, await up.EndAsync());
            await up.SaysAsync("what was ordered is carried out to its end; \"ashlar status\" shows how far it is");
        }

        await File.WriteAllTextAsync(go, "");
        while (!(await rig.DoAsync("ps")).Contains("v2", StringComparison.Ordinal))
        {
            await Task.Delay(100);
        }

        await rig.DoAsync("wait");
    }

    [Fact]
    public async Task A_hang_up_ends_the_view_and_not_the_stack()
    {
        await using var rig = new StackRig(Chatty);
        using var up = new Foreground(rig);
        await up.SaysAsync("is up");
        up.Signal("HUP");
        await up.EndAsync();
        Assert.Contains("healthy", await rig.DoAsync("status"));
    }

    [Fact]
    public async Task A_first_release_that_crashes_is_named_with_its_last_lines_and_leaves_nothing_running()
    {
        await using var rig = new StackRig("""
            name: crashing
            services:
              web:
                run: sh -c 'echo cannot find my database; exit 3'
            edge:
              listen: {http: "127.0.0.1:@PORT@"}
            """);
        var result = await rig.AshlarAsync("up", "--detach");
        Assert.True(result.ExitCode == 5, result.ToString());
        Assert.Contains("web.1", result.Error);
        Assert.Contains("cannot find my database", result.Error);
        Assert.Equal(4, (await rig.AshlarAsync("ps")).ExitCode);
        Assert.Empty(rig.Leftovers());
    }

    [Fact]
    public async Task A_port_that_is_taken_is_refused_with_its_holder_and_the_key_that_moves_ours()
    {
        await using var rig = new StackRig(Chatty);
        using var holder = new System.Net.Sockets.TcpListener(rig.Edge);
        holder.Start();
        var result = await rig.AshlarAsync("up", "--detach");
        Assert.Equal(6, result.ExitCode);
        Assert.Contains($"pid {Environment.ProcessId}", result.Error);
        Assert.Contains("edge.listen", result.Error);
        Assert.Empty(rig.Leftovers());
    }

    /// <summary>An <c>ashlar up</c> in the foreground, its output read as it comes.</summary>
    private sealed class Foreground : IDisposable
    {
        private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);
        private readonly StringBuilder _text = new();
        private readonly SemaphoreSlim _more = new(0);
        private readonly Process _process;

        public Foreground(StackRig rig)
        {
            _process = Process.Start(new ProcessStartInfo(Checkout.Ashlar, ["up", rig.Folder]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            _process.OutputDataReceived += (_, line) => Take(line.Data);
            _process.ErrorDataReceived += (_, line) => Take(line.Data);
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        public string Text
        {
            get
            {
                lock (_text) return _text.ToString();
            }
        }

        public async Task SaysAsync(string part)
        {
            while (!Text.Contains(part, StringComparison.Ordinal))
            {
                if (!await _more.WaitAsync(Bound)) throw new TimeoutException($"'{part}' has not come within {Bound}:\n{Text}");
            }
        }

        public void Signal(string name)
        {
            using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString()]);
            kill.WaitForExit();
        }

        public async Task<int> EndAsync()
        {
            using var bound = new CancellationTokenSource(Bound);
            await _process.WaitForExitAsync(bound.Token);
            return _process.ExitCode;
        }

        public void Dispose()
        {
            if (!_process.HasExited) _process.Kill();
            _process.Dispose();
        }

        private void Take(string? line)
        {
            lock (_text) _text.Append(line).Append('\n');
            _more.Release();
        }
    }
}
