using System.Text.Json;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Reconciling;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;

namespace Ashlar.Agent.Publishing;

/// <summary>
/// The agent's side of the channel: which tier processes are connected, which snapshot each works with, and which draining
/// instances each has let go of. Lives on the agent's loop.
/// </summary>
internal sealed class TierLinks(AgentLoop loop, Listeners listeners, InstanceTable table, AgentLog log, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan GiveListenersPatience = TimeSpan.FromSeconds(5);
    private readonly List<Link> _links = [];
    private readonly CancellationTokenSource _ending = new();
    private Func<ChannelServer>? _listen;
    private ChannelServer? _server;
    private CatalogSnapshot? _snapshot;
    private byte[] _content = [];
    private long _revision;

    /// <summary>Called on the loop when a tier has connected, reported something or gone.</summary>
    public Action Changed { get; set; } = () => { };

    /// <summary>Called on the loop when an edge was told to purge by an HTTP request.</summary>
    public Func<string, Fact, Task> Purged { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Begins to listen.</summary>
    /// <param name="path">Path of the channel's socket.</param>
    /// <param name="trustedUser">User that tiers run as, if not our own.</param>
    public void Listen(string path, uint? trustedUser)
    {
        _listen = () => ChannelServer.Listen(path, trustedUser);
        _server = _listen();
        _ = AcceptAsync(_server);
    }

    /// <summary>Makes the channel's socket anew if somebody has deleted its file, so that a tier that starts finds it.</summary>
    /// <exception cref="Errors.AshlarException">ASH4054, ASH4055.</exception>
    public void EnsureListening()
    {
        if (_server is { IsReachable: false } lost)
        {
            log.Warning(LogEvent.Channel, "the channel's socket has been deleted; made anew");
            _server = _listen!();
            _ = AcceptAsync(_server);
            Forget(lost.DisposeAsync().AsTask());
        }
    }

    /// <summary>True: the tier's process is connected and works with a snapshot of ours.</summary>
    public bool IsReady(string instance) => Find(instance) is { Applied: > 0 } link && link.Applied >= link.FirstRevision;

    /// <summary>True: no tier in front has anything to do with the draining instance any more.</summary>
    /// <param name="instance">Id of the instance.</param>
    /// <param name="edges">The processes of the tiers in front that are alive.</param>
    public bool IsIdle(string instance, IEnumerable<ObservedInstance> edges)
    {
        foreach (var edge in edges)
        {
            var link = Find(edge.Id);
            if (link is null)
            {
                // One that starts has had no snapshot yet, and its first one says "draining". Another may be out of touch: wait.
                if (edge.State == InstanceState.Starting)
                {
                    continue;
                }

                return false;
            }

            if (!link.Idle.Contains(instance))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Tells every tier what has changed, if anything has.</summary>
    /// <param name="build">Makes the snapshot of a revision.</param>
    public void Publish(Func<long, CatalogSnapshot> build)
    {
        var next = build(0);
        var content = JsonSerializer.SerializeToUtf8Bytes(next, CatalogJson.Default.CatalogSnapshot);
        if (_snapshot is not null && content.AsSpan().SequenceEqual(_content))
        {
            return;
        }

        // Time keeps revisions growing over the lives of agents without writing them down.
        _revision = Math.Max(_revision + 1, time.GetUtcNow().ToUnixTimeMilliseconds());
        _snapshot = next with { Revision = _revision };
        _content = content;
        foreach (var link in _links)
        {
            var draining = next.Services.SelectMany(s => s.Instances).Where(i => i.State == InstanceState.Draining).Select(i => i.Id);
            link.Idle.IntersectWith(draining);
            Send(link);
        }
    }

    /// <summary>Hands all listening sockets to every tier again, because there is a new one.</summary>
    public void HandDownAgain()
    {
        foreach (var link in _links)
        {
            HandDown(link);
        }
    }

    /// <summary>Tells a tier's process to accept nothing new, finish what is open and end. False: it is not connected.</summary>
    public bool Drain(string instance, TimeSpan grace)
    {
        if (Find(instance) is not { } link)
        {
            return false;
        }

        var arguments = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty
            .Add("grace", grace.TotalSeconds.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture));
        Forget(link.Connection.SendCommandAsync(new Command(CommandNames.Drain, arguments), _ending.Token));
        return true;
    }

    /// <summary>True: the listening sockets are here too, so that no end of a tier closes them.</summary>
    public bool HoldsListeners => !listeners.All.IsEmpty;

    /// <summary>Asks a tier's process whether it serves. False: it is not connected, or its connection breaks before it answers.</summary>
    /// <exception cref="OperationCanceledException">It has not answered in time.</exception>
    public async Task<bool> AnswersAsync(string instance, CancellationToken cancellation)
    {
        if (Find(instance) is not { } link)
        {
            return false;
        }

        try
        {
            await link.Connection.SendCommandAsync(new Command(CommandNames.Alive), cancellation);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Has a tier's process carry out a command; null: it is not connected.</summary>
    /// <exception cref="IOException">Its connection breaks before it answers.</exception>
    public async Task<CommandResult?> AskAsync(string instance, Command command, CancellationToken cancellation) =>
        Find(instance) is { } link ? await link.Connection.SendCommandAsync(command, cancellation) : null;

    /// <summary>What the tiers were told last; null: nothing yet.</summary>
    public CatalogSnapshot? Told => _snapshot;

    /// <summary>True once every connected tier works with the newest snapshot.</summary>
    public bool AllApplied => _links.All(l => _snapshot is null || l.Applied >= _snapshot.Revision);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        foreach (var link in _links)
        {
            link.Connection.Dispose();
        }
    }

    private async Task AcceptAsync(ChannelServer server)
    {
        try
        {
            while (true)
            {
                var connection = await server.AcceptAsync(_ending.Token);
                loop.Post(() => Connected(connection));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
        }
    }

    private void Connected(ChannelConnection connection)
    {
        // The kernel says which process it is; what it says of itself is not needed.
        var instance = table.All.FirstOrDefault(o => o.Readiness == Readiness.Channel && o.Process?.Pid == connection.Peer.Pid);
        if (instance is null)
        {
            log.Warning(LogEvent.Channel, $"pid {connection.Peer.Pid} says it is {connection.Hello.Instance}, which we did not start: refused");
            connection.Dispose();
            return;
        }

        log.Info(LogEvent.Channel, $"{instance.Id} (pid {connection.Peer.Pid}) connected, works with revision {connection.Hello.AppliedRevision}");
        foreach (var old in _links.Where(l => l.Instance == instance.Id).ToArray())
        {
            _links.Remove(old);
            old.Connection.Dispose();
        }

        // A clock that went back must not make the tier pass over what we say.
        _revision = Math.Max(_revision, connection.Hello.AppliedRevision);
        if (_snapshot is not null && _snapshot.Revision <= connection.Hello.AppliedRevision)
        {
            _snapshot = _snapshot with { Revision = ++_revision };
            _links.ForEach(Send);
        }

        var link = new Link(instance.Id, instance.Tier, connection);
        _links.Add(link);
        _ = ReadFactsAsync(link);
        if (!connection.Hello.Listeners.IsDefaultOrEmpty)
        {
            _ = TakeListenersAsync(link);
        }
        else
        {
            Introduce(link);
        }

        Changed();
    }

    /// <summary>What a new tier gets first: the sockets, then what is to be done with them.</summary>
    private void Introduce(Link link)
    {
        HandDown(link);
        Send(link);
    }

    private async Task TakeListenersAsync(Link link)
    {
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
            patience.CancelAfter(GiveListenersPatience);
            var answer = await link.Connection.SendCommandAsync(new Command(CommandNames.GiveListeners), patience.Token);
            if (answer.Ok)
            {
                var received = await link.Connection.Descriptors.ReadAsync(patience.Token);
                loop.Post(() =>
                {
                    listeners.TakeBack(received.Names, received.Descriptors);
                    Introduce(link);
                    Changed();
                });
                return;
            }

            log.Warning(LogEvent.Channel, $"{link.Instance} does not give its sockets back: {answer.Text}");
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            log.Warning(LogEvent.Channel, $"{link.Instance} does not give its sockets back: {e.Message}");
        }

        loop.Post(() => Introduce(link));
    }

    private void HandDown(Link link)
    {
        var (names, descriptors) = listeners.ToHandDown(link.Tier);
        if (!names.IsEmpty)
        {
            Forget(link.Connection.SendDescriptorsAsync(names, descriptors, _ending.Token));
        }
    }

    private void Send(Link link)
    {
        if (_snapshot is { } snapshot)
        {
            link.FirstRevision = link.FirstRevision == 0 ? snapshot.Revision : link.FirstRevision;
            Forget(link.Connection.SendSnapshotAsync(snapshot, _ending.Token));
        }
    }

    private async Task ReadFactsAsync(Link link)
    {
        await foreach (var fact in link.Connection.Facts.ReadAllAsync())
        {
            loop.Post(() => Reported(link, fact));
        }

        loop.Post(() =>
        {
            if (_links.Remove(link))
            {
                log.Info(LogEvent.Channel, $"{link.Instance} disconnected");
                link.Connection.Dispose();
                Changed();
            }
        });
    }

    private void Reported(Link link, Fact fact)
    {
        switch (fact.Kind)
        {
            case FactKinds.Applied:
                link.Applied = Math.Max(link.Applied, fact.Number);
                break;
            case FactKinds.Idle:
                link.Idle.Add(fact.Subject);
                break;
            case FactKinds.Purged:
                Forget(Purged(link.Instance, fact));
                return;
            default:
                log.Info(LogEvent.Fact, $"{link.Instance}: {fact.Kind} {fact.Subject} {fact.Text}");
                break;
        }

        Changed();
    }

    private Link? Find(string instance) => _links.Find(l => l.Instance == instance);

    // A tier that is gone is noticed by its connection; what we wanted to tell it is void then.
    private static void Forget(Task sending) => _ = sending.ContinueWith(
        t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private sealed class Link(string instance, string tier, ChannelConnection connection)
    {
        public string Instance { get; } = instance;

        public string Tier { get; } = tier;

        public ChannelConnection Connection { get; } = connection;

        /// <summary>Newest snapshot that it works with.</summary>
        public long Applied { get; set; }

        /// <summary>First snapshot that it got from us.</summary>
        public long FirstRevision { get; set; }

        /// <summary>Draining instances that it has nothing to do with.</summary>
        public HashSet<string> Idle { get; } = new(StringComparer.Ordinal);
    }
}
