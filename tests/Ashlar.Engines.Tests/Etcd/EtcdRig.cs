using System.Runtime.InteropServices;
using System.Text;
using Ashlar.Catalog;
using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Processes;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Engines.Etcd;

/// <summary>Members of an etcd as their plan wants them, as real processes in a folder of their own; each stands for one on another machine.</summary>
internal sealed partial class EtcdRig : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new("ashlar-etcd-");
    private readonly ProcessLauncher _launcher = new("etcd-test");
    private readonly Dictionary<string, ManagedProcess> _running = [];
    private readonly List<ManagedProcess> _started = [];

    public EtcdRig()
    {
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        User = SystemUsers.IsRoot ? SystemUsers.Find(EtcdTier.EngineUser) ?? SystemUsers.Find("nobody") : null;
    }

    public SystemUser? User { get; }

    public string Folder => _folder.Path;

    /// <summary>A member on ports of its own that begins alone.</summary>
    public static EtcdMember Member(string name)
    {
        var member = new EtcdMember
        {
            Name = name,
            Address = "127.0.0.1",
            ClientPort = Ports.Free(),
            PeerPort = Ports.Free(),
            MetricsPort = Ports.Free(),
            Cluster = [],
            Token = "shop-1",
            Heartbeat = TimeSpan.FromMilliseconds(50),
        };
        return member with { Cluster = [member.AsPeer] };
    }

    public static EtcdOptions OptionsOf(params EtcdMember[] members) => new() { Endpoints = [.. members.Select(member => member.ClientUri)], Prefix = "shop/" };

    public DesiredInstance Plan(EtcdMember member) => EtcdTier.Plan(Context(member), member);

    public string DataOf(EtcdMember member) => Path.Combine(StateOf(member), "data", "etcd.1");

    public string LogOf(EtcdMember member) => Path.Combine(Folder, $"{member.Name}.log");

    /// <summary>Starts a member as the agent would; it is not waited for.</summary>
    public ManagedProcess Start(EtcdMember member, DateTimeOffset? heldSince = null, string? searchPath = null)
    {
        var desired = Plan(member);
        Directory.CreateDirectory(Path.Combine(StateOf(member), "data"));
        if (!Directory.Exists(DataOf(member)))
        {
            Directory.CreateDirectory(DataOf(member), (UnixFileMode)0b111_000_000);
            Give(DataOf(member));
        }

        var process = AsTheAgent.Start(_launcher, desired, LogOf(member), $"{Path.GetFileName(Folder)}-{member.Name}-{_started.Count}", searchPath, heldSince);
        _started.Add(process);
        return _running[member.Name] = process;
    }

    /// <summary>Starts a member and waits until it answers; with a majority, if that is asked for.</summary>
    public async Task<ManagedProcess> UpAsync(EtcdMember member, bool majority = true)
    {
        var process = Start(member);
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); ; await Task.Delay(20))
        {
            var probe = Plan(member).Probe!;
            var answer = majority ? await EngineProbes.EtcdMajorityAsync(probe, CancellationToken.None) : await EngineProbes.EtcdAsync(probe, CancellationToken.None);
            if (answer.Good && !process.Exited.IsCompleted)
            {
                return process;
            }

            if (waited.Elapsed > Patience || process.Exited.IsCompleted)
            {
                throw new TimeoutException($"{member.Name}: {answer.Text}\n{File.ReadAllText(LogOf(member))}");
            }
        }
    }

    /// <summary>What a member says that cannot start.</summary>
    public async Task<string> RefusedAsync(EtcdMember member, DateTimeOffset? heldSince = null, string? searchPath = null)
    {
        var process = Start(member, heldSince, searchPath);
        try
        {
            Assert.False((await process.Exited.WaitAsync(Patience)).Success);
        }
        catch (TimeoutException e)
        {
            var ended = _started.Where(one => one.Exited.IsCompleted).Select(one => one.Identity.Pid);
            throw new TimeoutException($"{process.Identity.Pid} of {member.Name} goes on (ended: {string.Join(' ', ended)}):\n{await File.ReadAllTextAsync(LogOf(member))}", e);
        }

        return await File.ReadAllTextAsync(LogOf(member));
    }

    public async Task KillAsync(EtcdMember member)
    {
        _running[member.Name].Signal(9);
        await _running[member.Name].Exited.WaitAsync(Patience);
    }

    public async Task StopAsync(EtcdMember member) =>
        await _running[member.Name].StopAsync(Patience, StopRequest.TerminateLeader);

    public static async Task PutAsync(EtcdOptions options, string key, string value)
    {
        await using var store = new EtcdStore(options);
        await store.CommitAsync(new StoreTransaction([], [new(key, Encoding.ASCII.GetBytes(value))]));
    }

    public static async Task<string?> GetAsync(EtcdOptions options, string key)
    {
        await using var store = new EtcdStore(options with { TotalLimit = TimeSpan.FromSeconds(30) });
        return await store.GetAsync(key) is { } entry ? Encoding.ASCII.GetString(entry.Value.Span) : null;
    }

    /// <summary>Certificates of an authority of that name, which the members' user can read.</summary>
    public EtcdFiles Files(string authority)
    {
        var made = new TestCertificates(Folder, authority);
        foreach (var path in Directory.GetFiles(Path.GetDirectoryName(made.Authority)!))
        {
            Give(path);
        }

        return new EtcdFiles(made.Authority, made.Server, made.ServerKey);
    }

    /// <summary>Lets the members' user read a file.</summary>
    public void Give(string path)
    {
        if (User is { } user)
        {
            Assert.Equal(0, Chown(path, user.Uid, user.Gid));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started)
        {
            await process.StopAsync(TimeSpan.Zero);
        }

        _launcher.Dispose();
        _folder.Dispose();
    }

    private string StateOf(EtcdMember member) => Path.Combine(Folder, member.Name);

    private PlanContext Context(EtcdMember member) => new()
    {
        Stack = new StackDefinition { Name = "rig", Directory = Folder },
        Release = "v1",
        ReleaseFolder = Folder,
        StateFolder = StateOf(member),
        Program = TestProgram.Path,
        ProgramVersion = "1",
        User = User?.Name,
    };

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);
}
