using System.Collections.Immutable;
using System.Globalization;
using Ashlar.Errors;

namespace Ashlar.Processes;

/// <summary>
/// Starts and adopts process groups. One for each supervisor: it holds the one thread that waits for their ends.
/// </summary>
/// <remarks>
/// It reaps its own children by pid only, so it can live beside <see cref="System.Diagnostics.Process"/> in one program.
/// Disposing of it ends no process: it only stops watching.
/// </remarks>
public sealed class ProcessLauncher : IDisposable
{
    private const string Setpriv = "setpriv";
    private const string Prlimit = "prlimit";
    private const string ToolPath = "/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin";

    private const uint LogMode = 0x1A0; // 0640

    /// <summary>
    /// Moved only by us it could have forked before; so it moves itself before it becomes the program. (A shell drops variables
    /// that it could not name itself, so this is left out where there are such.)
    /// </summary>
    private const string EnterGroups = """
        while [ "$1" != -- ]; do { echo 0 > "$1"; } 2>/dev/null; shift; done; shift; exec "$@"
        """;

    private readonly string _stack;
    private readonly TimeProvider _time;
    private readonly ControlGroups _controlGroups;
    private readonly ExitWatcher _watcher = new();

    /// <summary>Begins to watch.</summary>
    /// <param name="stack">Name of the stack: its cgroups lie together under it.</param>
    /// <param name="time">Clock of graces and timeouts.</param>
    public ProcessLauncher(string stack, TimeProvider? time = null) : this(stack, time, ControlGroups.Detect()) { }

    internal ProcessLauncher(string stack, TimeProvider? time, ControlGroups controlGroups)
    {
        _stack = stack;
        _controlGroups = controlGroups;
        _time = time ?? TimeProvider.System;
    }

    /// <summary>True: this user may make cgroups on this machine, so limits hold and nothing can escape a stop.</summary>
    public bool HasControlGroups => _controlGroups.Available;

    /// <summary>Starts a process as leader of a session and group of its own. It outlives us unless it is stopped.</summary>
    /// <param name="spec">What to start.</param>
    /// <param name="descriptors">Descriptors of ours that become 3, 4, … in the child; it gets no other but 0, 1, 2.</param>
    /// <exception cref="AshlarException">ASH2001 to ASH2009: nothing was started.</exception>
    public ManagedProcess Start(LaunchSpec spec, params ReadOnlySpan<int> descriptors)
    {
        var current = SystemUsers.Current;
        var user = spec.User is null ? current : SystemUsers.Find(spec.User) ?? throw ProcessErrors.UserUnknown(spec.User);
        var changesUser = user.Uid != current.Uid;
        if (changesUser && !SystemUsers.IsRoot)
            throw ProcessErrors.UserNeedsRoot(user.Name);

        CheckFolder(spec.WorkingDirectory, user);
        var environment = ChildEnvironment.For(spec, user, changesUser);
        var program = ProgramSearch.Find(spec.Command[0], environment["PATH"], spec.WorkingDirectory, user);
        using var log = FileDescriptor.Open(spec.LogPath, Libc.O_WRONLY | Libc.O_APPEND | Libc.O_CREAT, LogMode, out var errno)
            ?? throw ProcessErrors.LogNotWritable(spec.LogPath, errno);
        var group = _controlGroups.Make(_stack, spec.Tag, spec.Cpu, spec.Memory, out var warnings);
        var arguments = Chain(spec, program, changesUser ? user : null, environment.Keys.All(IsName) ? group : null);
        var pid = Spawn.Start(arguments[0], arguments, [.. environment.Select(pair => $"{pair.Key}={pair.Value}")],
            spec.WorkingDirectory, log.Number, descriptors);
        if (pid < 0)
        {
            group?.Remove();
            throw ProcessErrors.StartRefused(program, -pid);
        }
        if (group?.Enter(pid) is { } refused)
            warnings = warnings.Add($"the process could not be moved to its cgroup: {refused}");
        if (FileDescriptor.OfProcess(pid) is not { } handle || ProcessTable.Identify(pid) is not { } identity)
        {
            ManagedProcess.Abandon(pid);
            group?.Remove();
            throw ProcessErrors.StartRefused(program, Libc.EMFILE); // What else can refuse a descriptor of our own child.
        }
        return new ManagedProcess(identity, spec.Tag, handle, group, warnings, _watcher, _time);
    }

    /// <summary>
    /// Takes over a process that was started before: by this program before an <c>execve</c> in place (then its exit code is
    /// known), or by one that died (then it is known only where the kernel tells it to strangers, Linux 6.15).
    /// </summary>
    /// <param name="identity">As <see cref="ManagedProcess.Identity"/> gave it.</param>
    /// <param name="tag">As it was started with.</param>
    /// <param name="memoryLimit">As it was started with, for the text of its end.</param>
    /// <returns>Null: it has ended, or its pid belongs to another process now. Processes it left are found by <see cref="SweepAsync"/>.</returns>
    public ManagedProcess? Adopt(ProcessIdentity identity, string tag, long? memoryLimit = null)
    {
        // First the descriptor, then the check: the descriptor then surely means the process that was checked.
        var handle = FileDescriptor.OfProcess(identity.Pid);
        if (handle is null)
            return null;
        if (!ProcessTable.Is(identity))
        {
            handle.Dispose();
            return null;
        }
        var group = ControlGroups.Find(_stack, tag, identity.Pid, memoryLimit);
        return new ManagedProcess(identity, tag, handle, group, [], _watcher, _time);
    }

    /// <summary>Kills whatever still carries the tag of a start whose leader is gone.</summary>
    /// <returns>How many were killed.</returns>
    public Task<int> SweepAsync(string tag) => new GroupMembers(null, tag, null).KillAsync(_watcher, _time);

    /// <inheritdoc />
    public void Dispose()
    {
        _watcher.Dispose();
        _controlGroups.RemoveIfEmpty(_stack);
    }

    private static void CheckFolder(string folder, SystemUser user)
    {
        if (!Directory.Exists(folder))
            throw ProcessErrors.FolderMissing(folder);
        if (UserAccess.Execute(user, [folder])[0] != 0)
            throw ProcessErrors.FolderClosed(folder, user.Name);
    }

    /// <summary>The tools before the program change limits and user and then become it: each execs in place, so the pid stays.</summary>
    private static ImmutableArray<string> Chain(LaunchSpec spec, string program, SystemUser? user, ControlGroup? group)
    {
        var chain = ImmutableArray.CreateBuilder<string>();
        if (group is not null)
        {
            chain.AddRange("/bin/sh", "-c", EnterGroups, "sh");
            chain.AddRange(group.Doors);
            chain.Add("--");
        }
        if (spec.OpenFiles is not null || spec.CoreSize is not null)
        {
            chain.Add(Tool(Prlimit, "limit open files or core dumps"));
            if (spec.OpenFiles is { } files)
                chain.Add(string.Create(CultureInfo.InvariantCulture, $"--nofile={files}:{files}"));
            if (spec.CoreSize is { } core)
                chain.Add(string.Create(CultureInfo.InvariantCulture, $"--core={core}:{core}"));
            chain.Add("--");
        }
        if (user is not null)
        {
            chain.AddRange(Tool(Setpriv, "run as another user"), $"--reuid={user.Uid}", $"--regid={user.Gid}",
                "--init-groups", "--no-new-privs", "--");
        }
        chain.Add(program);
        chain.AddRange(spec.Command.AsSpan()[1..]);
        return chain.ToImmutable();
    }

    private static bool IsName(string variable) =>
        variable.Length > 0 && !char.IsAsciiDigit(variable[0]) && variable.All(c => c == '_' || char.IsAsciiLetterOrDigit(c));

    private static string Tool(string name, string purpose) =>
        ToolPath.Split(':').Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
        ?? throw ProcessErrors.ToolMissing(name, purpose);
}
