using System.Collections.Immutable;
using Ashlar.Delivery.Releases;
using Ashlar.Processes;
using Ashlar.Testing;

namespace Ashlar.Delivery.Tests.Releases;

public sealed class BuildStepTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();
    private readonly ProcessLauncher _launcher = new("build-tests-" + Guid.NewGuid().ToString("N")[..8]);
    private readonly List<string> _progress = [];

    public void Dispose()
    {
        _launcher.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("kill -TERM $$", "killed by SIGTERM")]
    [InlineData("kill -KILL $$", "killed by SIGKILL")]
    [InlineData("sh -c 'kill -KILL $$'", "killed by SIGKILL")]
    [InlineData("sh -c 'kill -KILL $$'; exit $?", "exit 137")]
    public async Task A_build_that_a_signal_ends_has_failed(string command, string expected)
    {
        var (exit, _) = await Step(command).RunAsync(_launcher, _progress.Add, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal((false, expected), (exit.Success, exit.ToString()));
    }

    [Fact]
    public async Task A_cancelled_build_is_never_a_success_even_if_its_command_answers_SIGTERM_with_exit_0()
    {
        using var cancel = new CancellationTokenSource();
        var step = Step("trap 'exit 0' TERM; echo begun; while :; do sleep 0.1; done");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => step.RunAsync(_launcher, _ => cancel.Cancel(), cancel.Token).WaitAsync(Patience));
    }

    [Fact]
    public async Task A_build_that_is_cancelled_while_it_ends_well_is_not_a_success_either()
    {
        using var cancel = new CancellationTokenSource();
        var running = Step("printf done").RunAsync(_launcher, _ => cancel.Cancel(), cancel.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_build_of_which_something_was_killed_for_want_of_memory_has_failed_whatever_its_shell_says()
    {
        var step = Step("python3 -c 'x = bytearray(256 << 20); print(len(x))'; echo goes on; true") with { Memory = 64 << 20 };
        var (exit, lines) = await step.RunAsync(_launcher, _progress.Add, CancellationToken.None).WaitAsync(Patience);
        if (exit.MemoryLimit is null)
        {
            return; // this user may make no cgroups here
        }

        Assert.Equal("goes on", lines[^1]);
        Assert.Equal(0, exit.Code);
        Assert.Equal((false, "out of memory (limit 64 MiB)"), (exit.Success, exit.ToString()));
    }

    private BuildStep Step(string command) => new(
        command, "build web", _folder.Path, ImmutableSortedDictionary<string, string>.Empty.Add("PATH", Environment.GetEnvironmentVariable("PATH")!),
        null, _folder.Path, Path.Combine(_folder.Path, "build.log"), "build-step-" + Guid.NewGuid().ToString("N")[..8]);
}
