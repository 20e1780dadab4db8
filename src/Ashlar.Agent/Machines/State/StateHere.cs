using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Etcd;
using Ashlar.Catalog.Store;
using Ashlar.Engines.Etcd;
using Ashlar.Fleet.Identity;
using Ashlar.Processes;

namespace Ashlar.Agent.Machines;

/// <summary>
/// This machine's part in holding the state: it runs a member of etcd when the leader says so and none when not, keeps where the state
/// answers, and follows a state that was restored elsewhere.
/// </summary>
internal sealed class StateHere(FleetLink fleet, AgentLoop loop, Supervisor supervisor, EtcdStore etcd, StateFolder state, SystemUser? user, Func<Task> startAnew, AgentLog log, TimeProvider time) : IDisposable
{
    private const int ClientPort = 7402;
    private const int PeerPort = 7403;
    private const int MetricsPort = 7404;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(40);
    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>User that etcd runs as: its package's, else the stack's; null: our own.</summary>
    public static SystemUser? UserOf(AgentOptions options, SystemUser? user) =>
        ServiceUser.OfEngines(options).TryGetValue(EtcdTier.Tier, out var name) ? SystemUsers.Find(name) : user;

    /// <summary>A number that no other cluster of the stack has.</summary>
    public static string NewToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    /// <summary>A member on this machine, with an identity that etcd's user can read; who begins with it is still to be said.</summary>
    public static EtcdMember Member(MachineFile own, int index, StateFolder state, SystemUser? user, string token)
    {
        var identity = IdentityCopy.For(state, EtcdTier.Service, user);
        return new EtcdMember
        {
            Name = own.Name,
            Index = index,
            Address = own.Address,
            ClientPort = ClientPort,
            PeerPort = PeerPort,
            MetricsPort = MetricsPort,
            Tls = new EtcdFiles(
                Path.Combine(identity, MachineIdentity.AuthorityFile), Path.Combine(identity, MachineIdentity.CertificateFile), Path.Combine(identity, MachineIdentity.KeyFile)),
            Token = token,
            Cluster = [],
        };
    }

    /// <summary>Where a member of a machine is reached that has none yet.</summary>
    public static StateMember Place(MachineRecord machine, int index) => new(index, At(machine, ClientPort), At(machine, PeerPort), Votes: false);

    /// <summary>The state as the one member of this machine holds it.</summary>
    public static StateRecord Alone(MachineFile own) => own.Member is not { } member
        ? throw new InvalidOperationException("There is no member here.")
        : new StateRecord { Epoch = own.Epoch, Token = member.Token }.With(own.Name, new StateMember(member.Index, member.ClientUri, member.PeerUri, Votes: true) { Cluster = member.Cluster });

    /// <summary>Does what the leader says, for ever.</summary>
    public async Task FollowAsync(CancellationToken cancellation)
    {
        if (fleet.Own.Restoring is { } machines)
        {
            await EndRestoreAsync(machines, cancellation);
        }

        while (true)
        {
            var changed = fleet.Changed;
            if (fleet.View.State is { } record)
            {
                await ApplyAsync(record, cancellation);
            }

            await changed.WaitAsync(cancellation);
        }
    }

    /// <summary>
    /// Another machine says where the state is: it counts where the state was restored since, and where this machine cannot reach what it
    /// knows. Returns only if nothing is to be begun anew.
    /// </summary>
    public async Task HearAsync(int epoch, ImmutableArray<Uri> endpoints, bool isCutOff, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var own = fleet.Own;
            if (epoch > own.Epoch)
            {
                await BeginAnewAsync(epoch, endpoints);
            }
            else if (epoch == own.Epoch && isCutOff && !endpoints.SequenceEqual(own.Endpoints))
            {
                Ask(endpoints);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Has the state begin here, with a backup and this machine's member alone; returns only by throwing.</summary>
    /// <param name="backup">Gives a copy of the backup that etcd's user can read.</param>
    /// <param name="cancellation">Gives up, while nothing has changed.</param>
    public async Task RestoreAsync(Func<SystemUser?, string> backup, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var copy = backup(user);
            var epoch = Math.Max(fleet.Own.Epoch, fleet.View.State?.Epoch ?? 1) + 1;
            var index = Math.Max(Math.Max(fleet.Own.Member?.Index ?? 0, fleet.View.State?.Last ?? 0), Folders().Select(folder => folder.Index).DefaultIfEmpty().Max()) + 1;
            await LeaveAsync(cancellation);
            var own = fleet.Own;
            var member = Member(own, index, state, user, NewToken()) with { Restore = copy };
            member = member with { Cluster = [member.AsPeer] };
            Keep(own with { Member = member, Endpoints = [member.ClientUri], Epoch = epoch, Restoring = [.. fleet.View.Records.Values] });
            await startAnew();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose() => _one.Dispose();

    private async Task ApplyAsync(StateRecord record, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var own = fleet.Own;
            if (record.Epoch > own.Epoch)
            {
                await BeginAnewAsync(record.Epoch, record.EndpointsFor(own.Name));
                return;
            }

            var mine = record.Members.GetValueOrDefault(own.Name);
            if (record.Epoch < own.Epoch || own.Restoring is not null)
            {
                return; // The word of a state that is past.
            }

            if (own.Member is { } old && old.Index != mine?.Index)
            {
                await LeaveAsync(cancellation);
            }

            await PutAsideAsync(cancellation);
            if (mine is not null && (fleet.Own.Member is not { } present || !present.Cluster.SequenceEqual(mine.Cluster)))
            {
                var member = fleet.Own.Member ?? Member(own, mine.Index, state, user, record.Token) with { Joins = true };
                log.Info(LogEvent.Machine, $"this machine holds a part of the state: etcd.{mine.Index}, with {string.Join(", ", mine.Cluster.Select(peer => peer.Name))}");
                Keep(fleet.Own with { Member = member with { Cluster = mine.Cluster } });
                fleet.PursueAnew();
            }

            if (record.EndpointsFor(own.Name) is { IsEmpty: false } endpoints && !endpoints.SequenceEqual(fleet.Own.Endpoints))
            {
                Ask(endpoints);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Keeps where the state is, and begins anew in place: what is in memory is of a state that is past.</summary>
    private async Task BeginAnewAsync(int epoch, ImmutableArray<Uri> endpoints)
    {
        log.Warning(LogEvent.Machine, $"the state was restored from a backup (the {epoch - 1}. time); it is at {string.Join(", ", endpoints.Select(endpoint => endpoint.Authority))}");
        Keep(fleet.Own with { Member = null, Endpoints = endpoints, Epoch = epoch, Restoring = null });
        etcd.UseEndpoints(endpoints);
        fleet.PursueAnew();
        await startAnew();
    }

    /// <summary>
    /// What a backup cannot know is put right before anybody follows it: who holds the state, which machines there are now, and that those
    /// who lived and led then need not do so now.
    /// </summary>
    private async Task EndRestoreAsync(ImmutableArray<MachineRecord> machines, CancellationToken cancellation)
    {
        var own = fleet.Own;
        var writes = machines.Select(machine => StoreExtensions.Put(Keys.Node(machine.Name), machine, MachineJson.Default.MachineRecord)).ToList();
        writes.AddRange((await etcd.ListAsync(Keys.Nodes, cancellation)).Entries
            .Where(entry => !machines.Any(machine => Keys.Node(machine.Name) == entry.Key)).Select(entry => new StoreWrite(entry.Key, null)));
        writes.AddRange((await etcd.ListAsync(Keys.ActualStates, cancellation)).Entries.Where(entry => entry.Key != Keys.Actual(own.Name)).Select(entry => new StoreWrite(entry.Key, null)));
        writes.AddRange((await etcd.ListAsync(Keys.Candidates, cancellation)).Entries
            .Where(entry => Encoding.UTF8.GetString(entry.Value.Span) != own.Name).Select(entry => new StoreWrite(entry.Key, null)));
        foreach (var batch in writes.Append(StoreExtensions.Put(Keys.State, Alone(own), MachineJson.Default.StateRecord)).Chunk(StoreLimits.TransactionLength))
        {
            await etcd.CommitAsync(new StoreTransaction([], [.. batch]), cancellation);
        }

        Keep(own with { Restoring = null });
        log.Info(LogEvent.Machine, $"the state is restored; it is held by etcd.{own.Member!.Index} here");
    }

    private async Task LeaveAsync(CancellationToken cancellation)
    {
        if (fleet.Own.Member is { } member)
        {
            log.Info(LogEvent.Machine, $"this machine holds no part of the state any more: etcd.{member.Index} ends");
            Keep(fleet.Own with { Member = null });
            fleet.PursueAnew();
            await PutAsideAsync(cancellation);
        }
    }

    /// <summary>Data of members that are none any more get another name, once nothing runs on them; they are never deleted.</summary>
    private async Task PutAsideAsync(CancellationToken cancellation)
    {
        foreach (var (path, index) in Folders().Where(folder => folder.Index != fleet.Own.Member?.Index))
        {
            var name = Path.GetFileName(path);
            var ended = await loop.InvokeAsync(() => supervisor.WaitAsync(view => view.Observed.Any(o => o.Tier == EtcdTier.Tier && o.Index == index) ? null : view));
            await ended.WaitAsync(StopPatience, cancellation);
            var aside = string.Create(CultureInfo.InvariantCulture, $"{path}.left-{time.GetUtcNow():yyyyMMddHHmmss}");
            Directory.Move(path, aside);
            log.Info(LogEvent.Machine, $"{name} is kept as {Path.GetFileName(aside)}");
        }
    }

    private IEnumerable<(string Path, int Index)> Folders() =>
        from path in Directory.Exists(state.Data) ? Directory.GetDirectories(state.Data, $"{EtcdTier.Service}.*") : []
        let number = Path.GetFileName(path)[(EtcdTier.Service.Length + 1)..]
        where number.All(char.IsAsciiDigit)
        select (path, int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : 0);

    private void Ask(ImmutableArray<Uri> endpoints)
    {
        log.Info(LogEvent.Machine, $"the state is at {string.Join(", ", endpoints.Select(endpoint => endpoint.Authority))}");
        Keep(fleet.Own with { Endpoints = endpoints });
        etcd.UseEndpoints(endpoints);
    }

    private void Keep(MachineFile own)
    {
        own.Save(state.MachineFile);
        fleet.Own = own;
    }

    private static Uri At(MachineRecord machine, int port) => new($"https://{new System.Net.IPEndPoint(System.Net.IPAddress.Parse(machine.Address), port)}");
}
