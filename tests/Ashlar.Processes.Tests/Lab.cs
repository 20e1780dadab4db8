using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Ashlar.Testing;

namespace Ashlar.Processes.Tests;

/// <summary>A folder, a launcher, and the processes a test has started: all gone when it ends.</summary>
public sealed class Lab : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<ManagedProcess> _started = [];
    public ProcessLauncher BareLauncher { get; } = new("none", null, new ControlGroups(null, false, null, null));
    private int _count;

    public Lab([CallerMemberName] string test = "")
    {
        Name = $"{test}-{Guid.NewGuid():N}"[..Math.Min(test.Length + 9, 60)];
        Launcher = new ProcessLauncher($"test-{Environment.ProcessId}");
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
    }

    /// <summary>Bound of every wait: only a failure takes that long.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    public string Name { get; }

    public string Folder => _folder.Path;

    public ProcessLauncher Launcher { get; }

    public string LogPath => Path.Combine(Folder, "log");

    public string Log => File.Exists(LogPath) ? File.ReadAllText(LogPath) : "";

    public LaunchSpec Spec(params ImmutableArray<string> command) => new()
    {
        Command = command,
        Environment = ImmutableSortedDictionary<string, string>.Empty.Add("PATH", "/usr/bin:/bin"),
        WorkingDirectory = Folder,
        LogPath = LogPath,
        Tag = $"{Name}/{++_count}",
    };

    public LaunchSpec Shell(string script) => Spec("/bin/sh", "-c", script);

    public ManagedProcess Start(LaunchSpec spec, params ReadOnlySpan<int> descriptors)
    {
        var process = Launcher.Start(spec, descriptors);
        _started.Add(process);
        return process;
    }

    public ManagedProcess StartShell(string script) => Start(Shell(script));

    /// <summary>As an ordinary user does, who may not make cgroups.</summary>
    public ManagedProcess StartWithoutControlGroup(LaunchSpec spec)
    {
        var process = BareLauncher.Start(spec);
        _started.Add(process);
        return process;
    }

    /// <summary>Runs it to its end and gives how it ended.</summary>
    public Task<ExitReport> Run(LaunchSpec spec) => Start(spec).Exited.WaitAsync(Patience);

    public Task<ExitReport> RunShell(string script) => Run(Shell(script));

    /// <summary>Waits until the log holds the text.</summary>
    public Task<string> LogHolds(string text) => Until(() => Log is var log && log.Contains(text, StringComparison.Ordinal) ? log : null,
        $"the log to hold '{text}'");

    /// <summary>Waits until there is an answer.</summary>
    public static async Task<T> Until<T>(Func<T?> ask, string what) where T : class
    {
        for (var left = Patience; left > TimeSpan.Zero; left -= TimeSpan.FromMilliseconds(10))
        {
            if (ask() is { } answer)
                return answer;
            await Task.Delay(10);
        }
        throw new TimeoutException($"Waited in vain for {what}.");
    }

    /// <summary>Waits until it is so.</summary>
    public static Task Until(Func<bool> isSo, string what) => Until(() => isSo() ? "" : null, what);

    public static bool Lives(int pid) => ProcessTable.TryRead(pid, out var stat) && !stat.IsZombie;

    public void Dispose()
    {
        foreach (var process in _started)
        {
            process.StopAsync(TimeSpan.Zero).AsTask().Wait(Patience);
            Launcher.SweepAsync(process.Tag).Wait(Patience); // Also if what is tested here fails.
        }
        Launcher.SweepAsync(Name).Wait(Patience); // What a supervisor under test has started.
        Launcher.Dispose();
        BareLauncher.Dispose();
        _folder.Dispose();
    }
}
