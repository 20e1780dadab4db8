using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Ashlar.Errors;
using Ashlar.Jobs.Queue;
using Ashlar.Processes;
using Ashlar.Stack;

namespace Ashlar.Jobs.Runner;

/// <summary>
/// Runs a command for a job: in the release's folder, with its environment, the payload on standard input, and what it says in our own log.
/// </summary>
internal sealed class CommandDelivery : IDelivery, IDisposable
{
    // Locked as long as its runner lives.
    private const string Alive = "alive";
    private const int OurOutput = 1;
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(5);
    private readonly JobsSettings _settings;
    private readonly JobsOptions _options;
    private readonly ProcessLauncher _launcher;
    private readonly ImmutableSortedDictionary<string, string> _environment;
    private readonly string _notes;
    private readonly FileStream _alive;

    public CommandDelivery(JobsOptions options)
    {
        (_settings, _options) = (options.Settings, options);
        _launcher = new ProcessLauncher(options.Settings.Stack);
        _environment = EnvironmentOf(options.Settings);
        _notes = Path.Combine(options.Commands, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(_notes);
        _alive = new FileStream(Path.Combine(_notes, Alive), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>Ends commands of runners that were killed: the jobs are handed out again, and two at once were one too many.</summary>
    public async Task EndRemainsAsync()
    {
        foreach (var folder in Directory.EnumerateDirectories(_options.Commands).Where(folder => folder != _notes))
        {
            if (IsAlive(folder))
            {
                continue;
            }

            foreach (var note in Directory.EnumerateFiles(folder))
            {
                await _launcher.SweepAsync(Path.GetFileName(note));
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    /// <inheritdoc />
    public async Task<Outcome?> DeliverAsync(QueueSettings queue, Job job, CancellationToken cancellation)
    {
        var tag = string.Create(CultureInfo.InvariantCulture, $"job-{_settings.Stack}-{job.Lease}");
        var note = Path.Combine(_notes, tag);
        await File.WriteAllBytesAsync(note, [], CancellationToken.None);
        try
        {
            return await RunAsync(queue, job, tag, cancellation);
        }
        finally
        {
            File.Delete(note);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _launcher.Dispose();
        _alive.Dispose();
        Directory.Delete(_notes, recursive: true);
    }

    // As services have it, which become this user at their start: commands are started by one who is it already.
    private static ImmutableSortedDictionary<string, string> EnvironmentOf(JobsSettings settings)
    {
        if (!settings.ChangesUser) return settings.Environment;
        var environment = settings.Environment.ToBuilder();
        ChildEnvironment.BecomeUser(environment, SystemUsers.Current, settings.Folder);
        return environment.ToImmutable();
    }

    private static bool IsAlive(string folder)
    {
        try
        {
            new FileStream(Path.Combine(folder, Alive), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private async Task<Outcome> RunAsync(QueueSettings queue, Job job, string tag, CancellationToken cancellation)
    {
        ManagedProcess process;
        using (var input = Input(job.Payload))
        {
            try
            {
                process = _launcher.Start(Spec(queue, job, tag), (int)input.SafeFileHandle.DangerousGetHandle(), OurOutput);
            }
            catch (AshlarException e)
            {
                return Outcome.Failed(e.Error.ToString());
            }
        }

        var late = false;
        try
        {
            await process.Exited.WaitAsync(queue.Timeout, cancellation);
        }
        catch (TimeoutException)
        {
            late = true;
            await process.StopAsync(StopGrace);
        }
        catch (OperationCanceledException)
        {
            // Asked to end; one that says that it is done in time, is.
            var stopped = await process.StopAsync(StopGrace);
            return stopped.Exit.Code == 0 ? Outcome.Done : Outcome.Interrupted;
        }

        var exit = await process.Exited;
        return late ? Outcome.Failed(string.Create(CultureInfo.InvariantCulture, $"it took longer than {queue.Timeout.TotalSeconds:0.###} s"))
            : exit.Code == 0 ? Outcome.Done : Outcome.Failed(exit.ToString()!);
    }

    private LaunchSpec Spec(QueueSettings queue, Job job, string tag) => new()
    {
        // A spawned process has no input, and we may open no log: the shell makes 3 the input and 4, our own log, the output, and becomes the command.
        Command = ["/bin/sh", "-c", "exec <&3 >&4 2>&4 3<&- 4>&-\n" + ShellCommand.WithExec(queue.Run!)],
        Environment = _environment
            .SetItem("ASHLAR_QUEUE", queue.Name)
            .SetItem("ASHLAR_JOB", job.Id.ToString(CultureInfo.InvariantCulture))
            .SetItem("ASHLAR_ATTEMPT", job.Attempt.ToString(CultureInfo.InvariantCulture))
            .SetItem("ASHLAR_ATTEMPTS", job.Attempts.ToString(CultureInfo.InvariantCulture))
            .SetItem("ASHLAR_LEASE", queue.Lease is null ? "" : job.Lease)
            .SetItems(job.Trace is { } trace ? [new("TRACEPARENT", trace)] : []),
        WorkingDirectory = _settings.Folder,
        LogPath = "/dev/null",
        Tag = tag,
    };

    // A file without a name: nobody else can read the payload, and it is gone with its last descriptor.
    private FileStream Input(string payload)
    {
        var path = Path.Combine(_notes, Guid.NewGuid().ToString("N"));
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            BufferSize = 0,
        });
        File.Delete(path);
        file.Write(Encoding.UTF8.GetBytes(payload));
        file.Position = 0;
        return file;
    }
}
