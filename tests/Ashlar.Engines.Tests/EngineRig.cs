using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Ashlar.Catalog;
using Ashlar.Engines.Redis;
using Ashlar.Processes;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Engines;

/// <summary>Engines of a stack as its plan wants them, started as real processes in a folder of their own; ended at the end.</summary>
internal sealed partial class EngineRig : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();
    private readonly ProcessLauncher _launcher = new("engines-test");
    private readonly List<ManagedProcess> _started = [];

    public EngineRig(CacheDefinition? cache = null, QueueDefinition? queue = null, ImmutableArray<string> addOns = default)
    {
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        Directory.CreateDirectory(Path.Combine(_folder.Path, "metrics"));
        Directory.CreateDirectory(Path.Combine(_folder.Path, "data"));
        User = SystemUsers.IsRoot ? SystemUsers.Find("redis") ?? SystemUsers.Find("nobody") : null;
        Context = new PlanContext
        {
            Stack = new StackDefinition { Name = "rig", Directory = _folder.Path, Cache = cache, Queue = queue, AddOns = addOns.IsDefault ? [] : addOns },
            Release = "v1",
            ReleaseFolder = _folder.Path,
            StateFolder = _folder.Path,
            Program = TestProgram.Path,
            ProgramVersion = "1",
            User = User?.Name,
        };
        TierNeeds[] needs = [CacheEngines.Needs(Context), RedisQueue.Needs(Context)];
        Context = Context with
        {
            Ports = needs.SelectMany(n => n.Ports).ToImmutableSortedDictionary(name => name, _ => Ports.Free()),
            Secrets = needs.SelectMany(n => n.Secrets).ToImmutableSortedDictionary(name => name, name => $"secret-of-{name}"),
        };
    }

    public PlanContext Context { get; set; }

    /// <summary>User that engines run as; null: ours.</summary>
    public SystemUser? User { get; }

    public string Folder => _folder.Path;

    public static CacheDefinition Redis(long memory = 16 << 20) => new() { Redis = new RedisDefinition { Memory = memory } };

    public static CacheDefinition Memcached(long memory = 16 << 20) => new() { Memcached = new MemcachedDefinition { Memory = memory } };

    public static QueueDefinition Queue(long memory = 16 << 20) => new() { Redis = new RedisDefinition { Memory = memory } };

    public ImmutableArray<DesiredInstance> Planned => [.. CacheEngines.Plan(Context), .. RedisQueue.Plan(Context)];

    public DesiredInstance Of(string name) => Planned.Single(i => i.Name == name);

    public string DataOf(string name) => Path.Combine(Folder, "data", name);

    public string LogOf(string name) => Path.Combine(Folder, $"{name}.log");

    public string Log(string name) => File.Exists(LogOf(name)) ? File.ReadAllText(LogOf(name)) : "";

    /// <summary>Starts an instance as the agent would.</summary>
    public ManagedProcess Start(string name, string? searchPath = null, DateTimeOffset? heldSince = null)
    {
        var desired = Of(name);
        if (!Directory.Exists(DataOf(name)))
        {
            Directory.CreateDirectory(DataOf(name), (UnixFileMode)0b111_000_000);
            Give(DataOf(name));
        }

        var process = AsTheAgent.Start(_launcher, desired, LogOf(name), $"{Path.GetFileName(Folder)}-{name}-{_started.Count}", searchPath, heldSince);
        _started.Add(process);
        return process;
    }

    /// <summary>Starts an instance and waits until its probe is answered well.</summary>
    public async Task<ManagedProcess> UpAsync(string name, DateTimeOffset? heldSince = null)
    {
        var process = Start(name, null, heldSince);
        var probe = Of(name).Probe!;
        for (var waited = System.Diagnostics.Stopwatch.StartNew(); ; await Task.Delay(20))
        {
            var answer = await AskAsync(probe);
            if (answer.Good)
            {
                return process;
            }

            if (waited.Elapsed > Patience || process.Exited.IsCompleted)
            {
                throw new TimeoutException($"{name}: {answer.Text}\n{Log(name)}");
            }
        }
    }

    /// <summary>What an instance says that cannot start.</summary>
    public async Task<string> RefusedAsync(string name, string? searchPath = null, DateTimeOffset? heldSince = null)
    {
        var exit = await Start(name, searchPath, heldSince).Exited.WaitAsync(Patience);
        Assert.False(exit.Success);
        return Log(name);
    }

    public static Task<HealthAnswer> AskAsync(ProbeSpec probe) => probe.Kind == EngineProbes.Redis
        ? EngineProbes.RedisAsync(probe, CancellationToken.None)
        : EngineProbes.MemcachedAsync(probe, CancellationToken.None);

    /// <summary>A client as the app has it.</summary>
    public Task<RedisClient> AppAsync(string tier) => ClientAsync(tier, RedisInstance.AppUser);

    /// <summary>A client as Ashlar has it.</summary>
    public Task<RedisClient> AdminAsync(string tier) => ClientAsync(tier, RedisInstance.AdminUser);

    public static async Task<string> SayAsync(RedisClient client, params string[] command)
    {
        using var bound = new CancellationTokenSource(Patience);
        var answer = await client.AskAsync(bound.Token, command);
        return answer.Kind == RespKind.Number ? answer.Number.ToString(System.Globalization.CultureInfo.InvariantCulture) : answer.Text;
    }

    public static async Task KillAsync(ManagedProcess process)
    {
        process.Signal(9);
        await process.Exited.WaitAsync(Patience);
    }

    public static async Task StopAsync(ManagedProcess process) =>
        Assert.True((await process.StopAsync(Patience, StopRequest.TerminateLeader)).Exit.Success);

    /// <summary>Gives a file or folder to the engines' user.</summary>
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

    private Task<RedisClient> ClientAsync(string tier, string user) =>
        RedisClient.OpenAsync(Engine.Address, Context.Ports[$"{tier}.1"], user, Context.Secrets[$"{tier}.{user}"], CancellationToken.None);

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);
}
