namespace Ashlar.Agent.Hosting;

/// <summary>Where a stack keeps its state: all paths below <c>.ashlar</c>.</summary>
/// <param name="Path">Absolute path of the folder.</param>
public sealed record StateFolder(string Path)
{
    // The folder of the logs can be passed by all, and they quote what apps have written: only our group, never others.
    private const UnixFileMode LogMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <summary>The folder beside a stack's file.</summary>
    public static StateFolder Of(string stackFolder) => new(System.IO.Path.Combine(System.IO.Path.GetFullPath(stackFolder), ".ashlar"));

    /// <summary>The agent's API; mode 0600.</summary>
    public string ApiSocket => In("agent.sock");

    /// <summary>Locked while an agent runs; holds its pid.</summary>
    public string LockFile => In("agent.lock");

    /// <summary>Desired state, and what was started.</summary>
    public string Store => In("state.db");

    /// <summary>What this machine knows of itself, where the stack stands on many.</summary>
    public string MachineFile => In("machine.json");

    /// <summary>What was started here, and a copy of the shared state, where the stack stands on many machines.</summary>
    public string MachineStore => In("machine.db");

    /// <summary>Key and certificates of this machine.</summary>
    public string Identity => In("identity");

    /// <summary>
    /// What the edge shows to the edges of other machines. It runs as the user of the apps, so this opens nothing but the hop: agents and
    /// etcd know another authority.
    /// </summary>
    public string HopIdentity => In("identity-edge");

    /// <summary>Output of everything that runs.</summary>
    public string Logs => In("logs");

    /// <summary>What the agent itself says.</summary>
    public string AgentLog => System.IO.Path.Combine(Logs, "agent.log");

    /// <summary>What tiers need to reach and write while they run.</summary>
    public string Run => In("run");

    /// <summary>The edge's log of requests.</summary>
    public string AccessLog => System.IO.Path.Combine(Run, "access.log");

    /// <summary>Where tiers may ask how the stack is, and nothing else.</summary>
    public string WatchSocket => System.IO.Path.Combine(Run, "watch.sock");

    /// <summary>The channel between agent and tiers.</summary>
    public string ChannelSocket => System.IO.Path.Combine(Run, "agent.channel");

    /// <summary>The releases.</summary>
    public string Releases => In("releases");

    /// <summary>Files of the app that came from other machines, a folder each, while a release is made of them.</summary>
    public string Sources => In("sources");

    /// <summary>Memory-mapped metrics.</summary>
    public string Metrics => In("metrics");

    /// <summary>Series of the metrics, an hour and a day of them.</summary>
    public string Series => System.IO.Path.Combine(Metrics, "series");

    /// <summary>What happened to the stack: releases, restarts, crashes, scalings.</summary>
    public string Events => System.IO.Path.Combine(Run, "events.log");

    /// <summary>What engines keep, a folder an instance.</summary>
    public string Data => In("data");

    /// <summary>What an engine's instance keeps.</summary>
    public string DataOf(string instance) => System.IO.Path.Combine(Data, instance);

    /// <summary>The Unix socket of an instance that serves on one.</summary>
    internal string SocketOf(string instance, long generation) =>
        System.IO.Path.Combine(Run, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{instance}-{generation}.sock"));

    /// <summary>Log of an instance; its generations share it.</summary>
    public string LogOf(string instance) => System.IO.Path.Combine(Logs, $"{instance}.log");

    /// <summary>
    /// Makes the folders. Only we may read them; others may pass through to the releases, and where <paramref name="user"/> is
    /// given, <c>run</c> and <c>metrics</c> belong to it, and its group may read the logs, which the dashboard shows.
    /// </summary>
    /// <exception cref="Errors.AshlarException">ASH4004.</exception>
    internal void Create(Processes.SystemUser? user)
    {
        const UnixFileMode mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode passable = mine | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        try
        {
            var top = user is null ? mine : passable;
            Make(Path, top);
            Make(Logs, top);
            Make(Run, mine);
            Make(Releases, user is null ? mine : passable);
            Make(Metrics, mine);
            if (user is not null)
            {
                foreach (var folder in new[] { Run, Metrics, In("build-home") }.Where(Directory.Exists))
                {
                    Ownership.GiveAll(folder, user);
                }

                // What is made in a folder with this bit has the folder's group; the logs stay root's own and nobody else writes them.
                Ownership.GiveToGroup(Logs, user);
                File.SetUnixFileMode(Logs, passable | UnixFileMode.SetGroup);
            }

            if (File.Exists(AgentLog))
            {
                File.SetUnixFileMode(AgentLog, LogMode);
            }

            Ignore();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AgentErrors.StateFolderUnusable(Path, e.Message.TrimEnd('.'));
        }
    }

    /// <summary>
    /// Makes the folder of an engine's instance, which belongs to the user given and which nobody else may enter. One that is there
    /// stays as it is: whose it is, its engine judges.
    /// </summary>
    /// <exception cref="Errors.AshlarException">ASH4004.</exception>
    internal void CreateData(string instance, Processes.SystemUser? user)
    {
        const UnixFileMode mine = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode passable = mine | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        try
        {
            Make(Data, user is null ? mine : passable);
            if (!Directory.Exists(DataOf(instance)))
            {
                Make(DataOf(instance), mine);
                if (user is not null)
                {
                    Ownership.Give(DataOf(instance), user);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AgentErrors.StateFolderUnusable(DataOf(instance), e.Message.TrimEnd('.'));
        }
    }

    /// <summary>Refuses a folder that another user keeps, before anything in it is touched. Root may use it: what it makes there it gives to its owner.</summary>
    /// <exception cref="Errors.AshlarException">ASH4027.</exception>
    public void RequireOurs()
    {
        if (Processes.SystemUsers.IsRoot || Ownership.OwnerOf(Path) is not { } owner || owner == Processes.SystemUsers.Current.Uid)
        {
            return;
        }

        try
        {
            _ = Directory.EnumerateFileSystemEntries(Path).Any();
        }
        catch (UnauthorizedAccessException)
        {
            throw OfAnother(owner);
        }
    }

    /// <summary>ASH4027 for an owner.</summary>
    internal Errors.AshlarException OfAnother(uint owner) => AgentErrors.OfAnotherUser(
        System.IO.Path.GetDirectoryName(Path)!, Processes.SystemUsers.Find(owner)?.Name ?? $"#{owner}", Processes.SystemUsers.Current.Name);

    /// <summary>Makes only what the store needs, before there has been an agent.</summary>
    /// <exception cref="Errors.AshlarException">ASH4004.</exception>
    internal void CreateForStore()
    {
        try
        {
            Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Ignore();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AgentErrors.StateFolderUnusable(Path, e.Message.TrimEnd('.'));
        }
    }

    /// <summary>Makes only what the log of an agent to be started needs; it makes the rest itself.</summary>
    /// <exception cref="Errors.AshlarException">ASH4004.</exception>
    internal void CreateForLog()
    {
        try
        {
            Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Directory.CreateDirectory(Logs, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            new FileStream(AgentLog, new FileStreamOptions
            {
                Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite, UnixCreateMode = LogMode,
            }).Dispose();

            // An agent that cannot write its log could not say why it does not start.
            var probe = System.IO.Path.Combine(Logs, $".probe-{Environment.ProcessId}");
            File.WriteAllText(probe, "?");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AgentErrors.StateFolderUnusable(Path, e.Message.TrimEnd('.'));
        }
    }

    // The state is no part of the app: it is kept out of the repository that holds the stack.
    private void Ignore()
    {
        var ignore = In(".gitignore");
        if (!File.Exists(ignore))
        {
            File.WriteAllText(ignore, "*\n");
        }
    }

    private static void Make(string folder, UnixFileMode mode)
    {
        Directory.CreateDirectory(folder, mode);
        File.SetUnixFileMode(folder, mode);
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
