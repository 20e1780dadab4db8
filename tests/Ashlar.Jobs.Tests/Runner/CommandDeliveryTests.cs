using System.Collections.Immutable;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Runner;
using Ashlar.Processes;
using Ashlar.Testing;

namespace Ashlar.Jobs.Tests.Runner;

/// <summary>Jobs that are done by a command.</summary>
public sealed class CommandDeliveryTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly CommandDelivery _delivery;

    private static readonly Job Job = new()
    {
        Queue = 1, Id = 812, Attempt = 2, Delivery = 3, Attempts = 20, At = DateTime.UtcNow, Enqueued = DateTime.UtcNow, Payload = """{"to": "ü"}""", Trace = "00-1-2-01",
    };

    public CommandDeliveryTests() => _delivery = New();

    public void Dispose()
    {
        _delivery.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_payload_is_its_input_and_who_it_is_stands_in_its_environment()
    {
        var outcome = await RunAsync("cat > got; echo $ASHLAR_QUEUE $ASHLAR_JOB $ASHLAR_ATTEMPT $ASHLAR_ATTEMPTS $TRACEPARENT $OWN > env");
        Assert.Equal(Ending.Done, outcome!.Ending);
        Assert.Equal(Job.Payload, await File.ReadAllTextAsync(Path.Combine(_folder.Path, "got")));
        Assert.Equal("thumbnails 812 2 20 00-1-2-01 yes\n", await File.ReadAllTextAsync(Path.Combine(_folder.Path, "env")));
    }

    [Fact]
    public async Task Who_is_another_user_than_the_agent_finds_its_own_home_and_name()
    {
        using var delivery = New(changesUser: true);
        await delivery.DeliverAsync(Queue("echo $USER $LOGNAME $HOME $PATH > env", TimeSpan.FromSeconds(60)), Job, CancellationToken.None);
        var user = SystemUsers.Current;
        Assert.Equal($"{user.Name} {user.Name} {user.Home} /usr/bin:/bin\n", await File.ReadAllTextAsync(Path.Combine(_folder.Path, "env")));
    }

    [Theory]
    [InlineData("exit 3", "exit 3")]
    [InlineData("kill -9 $$", "SIGKILL")]
    [InlineData("no-such-program", "exit 127")]
    public async Task What_ends_otherwise_than_well_has_failed(string command, string says)
    {
        var outcome = await RunAsync(command);
        Assert.Equal(Ending.Failed, outcome!.Ending);
        Assert.Contains(says, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_takes_too_long_is_ended_with_all_that_it_has_started_though_it_will_not_listen()
    {
        var outcome = await RunAsync("trap '' TERM; sleep 987 & echo $! > child; while true; do sleep 0.1; done", TimeSpan.FromSeconds(1));
        Assert.Equal(new Outcome(Ending.Failed, "it took longer than 1 s"), outcome);
        var child = int.Parse((await File.ReadAllTextAsync(Path.Combine(_folder.Path, "child"))).Trim(), System.Globalization.CultureInfo.InvariantCulture);
        await RunnerRig.Until(() => !File.Exists($"/proc/{child}/cmdline") || File.ReadAllText($"/proc/{child}/cmdline").Length == 0, "its child is gone");
    }

    [Fact]
    public async Task One_that_is_broken_off_is_no_attempt_unless_it_says_that_it_is_done()
    {
        async Task<Outcome?> BrokenOffAsync(string command)
        {
            using var stop = new CancellationTokenSource();
            var started = Path.Combine(_folder.Path, "started");
            File.Delete(started);
            var running = _delivery.DeliverAsync(Queue($"{command}; touch started; while true; do sleep 0.05; done", TimeSpan.FromMinutes(1)), Job, stop.Token);
            await RunnerRig.Until(() => File.Exists(started) || running.IsCompleted, "it has started");
            await stop.CancelAsync();
            return await running;
        }

        Assert.Equal(Outcome.Interrupted, await BrokenOffAsync("true"));
        Assert.Equal(Outcome.Done, await BrokenOffAsync("trap 'exit 0' TERM"));
    }

    private Task<Outcome?> RunAsync(string command, TimeSpan? timeout = null) => _delivery.DeliverAsync(Queue(command, timeout ?? TimeSpan.FromSeconds(60)), Job, CancellationToken.None);

    private static QueueSettings Queue(string command, TimeSpan timeout) => new() { Name = "thumbnails", Run = command, Timeout = timeout };

    private CommandDelivery New(bool changesUser = false)
    {
        var state = Path.Combine(_folder.Path, "state");
        Directory.CreateDirectory(Path.Combine(state, "run"));
        return new CommandDelivery(new JobsOptions("jobs.1", state, TimeSpan.FromSeconds(1), 1, new JobsSettings
        {
            Port = 1, Database = "", Password = "", Secret = "", Folder = _folder.Path, Stack = $"shop{Environment.ProcessId}",
            Environment = ImmutableSortedDictionary<string, string>.Empty.Add("PATH", "/usr/bin:/bin").Add("OWN", "yes").Add("HOME", "/home/agent"),
            ChangesUser = changesUser,
        }));
    }
}
