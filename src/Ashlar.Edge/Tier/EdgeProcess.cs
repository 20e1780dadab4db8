using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Edge.Balancing;
using Ashlar.Edge.Caching;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Logging;

namespace Ashlar.Edge.Tier;

/// <summary>
/// A running edge: the data plane, and its ties to the agent. It follows snapshots, tells facts, carries out commands, and goes
/// on with what it has while there is no agent.
/// </summary>
internal sealed class EdgeProcess : ITargetEvents, IAcceptSockets, IAsyncDisposable
{
    private const long BetweenSayingFull = 60_000;

    private readonly EdgeOptions _options;
    private readonly TierLog _log;
    private readonly AccessLog _accessLog;
    private readonly ServiceTargets _targets;
    private readonly MachineTls? _tls;
    private readonly PublicTls _public;
    private readonly EdgeServer _server;
    private readonly HeldSockets _sockets;
    private readonly ChannelClient _channel;
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource<TimeSpan> _drainAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _endAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CatalogSnapshot? _snapshot;
    private bool _connected;
    private long _saidFull = -BetweenSayingFull;
    private long _saidNotSecured = -BetweenSayingFull;

    public EdgeProcess(EdgeOptions options, TierLog log)
    {
        _options = options;
        _log = log;
        var forwarding = new ForwardingOptions();
        var metrics = new EdgeMetrics(MetricsFiles.Create(options.MetricsFolder, options.Instance, EdgeMetrics.SlotsFor(forwarding.Loops), log.Say));
        _accessLog = new AccessLog(options.AccessLogPath, log.Say, metrics.LogDropped);
        _tls = MachineTls.Load(options.Identity, log);
        _public = new PublicTls(options.State, log);
        _targets = new ServiceTargets(metrics, this, _tls?.Client);
        _server = new EdgeServer(_targets, forwarding, metrics, _accessLog, fault => log.Say($"a connection ended by a defect: {fault}"))
        {
            CannotAccept = CannotAccept,
            Purged = TellPurged,
            Say = log.Say,
        };
        _sockets = new HeldSockets(this);
        _channel = new ChannelClient(options.Channel, Hello, new ChannelHandlers
        {
            Snapshot = Follow,
            Command = CarryOutAsync,
            Descriptors = _sockets.Receive,
            ConnectionChanged = ConnectionChanged,
        });
    }

    /// <summary>Ask to drain; the first bound counts, and asking again ends at once.</summary>
    public void Stop(TimeSpan grace)
    {
        if (!_drainAsked.TrySetResult(grace))
        {
            _endAsked.TrySetResult();
        }
    }

    /// <summary>Runs until asked to stop and drained.</summary>
    public async Task RunAsync()
    {
        if (StoredSnapshot.Load(_options.SnapshotPath) is { } stored)
        {
            _snapshot = stored;
            _public.Follow(stored);
            _targets.Apply(stored);
            _server.UseCache(stored.Cache);
        }

        var channel = _channel.RunAsync(_ending.Token);
        var grace = await _drainAsked.Task;
        _log.Say($"drains {_server.Connections} connections within {grace.TotalSeconds} s");
        var draining = _server.DrainAsync(grace);
        if (await Task.WhenAny(draining, _endAsked.Task) != draining)
        {
            _log.Say($"ends at once, {_server.Connections} connections are broken off");
        }
        else if (!await draining)
        {
            _log.Say("connections that were still open after the drain have been broken off");
        }

        await _ending.CancelAsync();
        await channel;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _tls?.Dispose();
        _public.Dispose();
        _accessLog.Dispose();
        _ending.Dispose();
    }

    void ITargetEvents.Idle(InstanceTarget instance)
    {
        // What is in flight with an instance of another machine, its own edge knows best.
        if (instance.Machine is null)
        {
            _channel.Report(IdleFact(instance));
        }
    }

    void ITargetEvents.Ejected(InstanceTarget instance, Outcome reason, TimeSpan span) =>
        _channel.Report(new Fact(FactKinds.Ejected, instance.Id, (long)span.TotalMilliseconds, reason == Outcome.Refused
            ? $"refused a connection on {instance.EndPoint}; left out for {span.TotalSeconds} s"
            : $"could not be connected to on {instance.EndPoint}; left out for {span.TotalSeconds} s"));

    void ITargetEvents.Closed(InstanceTarget instance)
    {
        // The connections to another machine are everybody's there.
        if (instance.Machine is null)
        {
            _server.CloseIdle(instance.EndPoint);
        }
    }

    void ITargetEvents.MachineEjected(MachineTarget machine, TimeSpan span)
    {
        var error = EdgeErrors.MachineLeftOut(machine.Name, machine.Peer.EndPoint.ToString(), span.TotalSeconds);
        _log.Say(error);
        _channel.Report(new Fact(FactKinds.MachineEjected, machine.Name, (long)span.TotalMilliseconds, error.Message));
    }

    void ITargetEvents.MachineNotSecured(string machine, string reason)
    {
        if (IsTimeToSay(ref _saidNotSecured))
        {
            _log.Say(EdgeErrors.MachineNotSecured(machine, reason));
        }
    }

    void ITargetEvents.MachineGone(MachineTarget machine) => _server.Forget(machine);

    bool IAcceptSockets.CanBegin(CatalogListener listener) => !listener.Tls || _public.Front is not null;

    void IAcceptSockets.Begin(EdgeListener listener)
    {
        if (_tls is null && (listener.IsHop || listener.Forward is not null))
        {
            _log.Say(EdgeErrors.NoIdentity($"The listener {listener.Name}"));
            return;
        }

        try
        {
            listener = listener.IsHop ? listener with { Tls = _tls!.Server }
                : listener.IsSecure ? listener with { Tls = _public.Front }
                : listener;
            _server.ListenAsync(listener).GetAwaiter().GetResult();
            _log.Say($"listens on {listener.Name}, port {listener.Port}");
        }
        catch (Win32Exception e)
        {
            _log.Say(EdgeErrors.CannotListen(listener.Name, e.Message));
        }
    }

    void IAcceptSockets.Cease(EdgeListener listener)
    {
        _server.CeaseAsync(listener).GetAwaiter().GetResult();
        _log.Say($"no longer listens on {listener.Name}, port {listener.Port}");
    }

    private void CannotAccept(EdgeListener listener, int error)
    {
        // Tried ten times a second by every loop.
        if (IsTimeToSay(ref _saidFull))
        {
            _log.Say(EdgeErrors.CannotAccept(listener.Name, Marshal.GetPInvokeErrorMessage(error), _server.Connections));
        }
    }

    // In the words of the agent's API.
    private void TellPurged(PurgeOrder order) => _channel?.Report(new Fact(FactKinds.Purged, Text: JsonSerializer.Serialize(
        new JsonObject { ["action"] = "purge", ["url"] = order.Url, ["tag"] = order.Tag, ["soft"] = order.Soft })));

    // What happens again and again is said once a minute while it lasts.
    private static bool IsTimeToSay(ref long said)
    {
        var (now, last) = (Environment.TickCount64, Interlocked.Read(ref said));
        return now - last >= BetweenSayingFull && Interlocked.CompareExchange(ref said, now, last) == last;
    }

    private static Fact IdleFact(InstanceTarget instance) => new(FactKinds.Idle, instance.Id);

    private Hello Hello() => new(
        _options.Instance, EdgePlan.Tier, Environment.ProcessId,
        typeof(EdgeProcess).Assembly.GetName().Version?.ToString(3) ?? "", [.. _sockets.Names], _targets.Revision);

    private void Follow(CatalogSnapshot snapshot)
    {
        _public.Follow(snapshot);
        if (_targets.Apply(snapshot))
        {
            _snapshot = snapshot;
            _server.UseCache(snapshot.Cache);
            _sockets.Follow(snapshot);
            Store(snapshot);
        }

        _channel.Report(new Fact(FactKinds.Applied, Number: _targets.Revision));
    }

    private void Store(CatalogSnapshot snapshot)
    {
        try
        {
            StoredSnapshot.Save(_options.SnapshotPath, snapshot);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Say(EdgeErrors.SnapshotNotWritable(_options.SnapshotPath, e.Message));
        }
    }

    private async Task<CommandResult> CarryOutAsync(Command command, CancellationToken cancellation)
    {
        switch (command.Name)
        {
            case CommandNames.Drain:
                Stop(GraceOf(command));
                return new CommandResult(true);
            case CommandNames.GiveListeners:
                var (names, descriptors) = _sockets.All();
                await _channel.SendDescriptorsAsync(names, descriptors, cancellation);
                return new CommandResult(true);
            case CommandNames.Cache:
                return CacheCommands.CarryOut(_server, command);
            case CommandNames.Alive:
                await _server.TurnAsync().WaitAsync(cancellation);
                return new CommandResult(true);
            default:
                return new CommandResult(false, $"The edge knows no command {command.Name}.");
        }
    }

    private TimeSpan GraceOf(Command command) =>
        command.Arguments.TryGetValue("grace", out var text)
        && double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= 86_400
            ? TimeSpan.FromSeconds(seconds)
            : _options.Grace;

    private void ConnectionChanged(Exception? reason)
    {
        if (reason is null)
        {
            // A new agent knows nothing of what the last one was told.
            foreach (var instance in _targets.Idle.Where(static instance => instance.Machine is null))
            {
                _channel.Report(IdleFact(instance));
            }
        }
        else if (_snapshot is { } last && _sockets.HasNew)
        {
            // The agent went between the sockets and the snapshot that says what they are for.
            _sockets.Follow(last);
        }

        var connected = reason is null;
        if (connected != _connected && !_ending.IsCancellationRequested)
        {
            _connected = connected;
            _log.Say(connected ? "the agent is there" : $"the agent has gone ({reason!.Message}); goes on with revision {_targets.Revision}");
        }
    }
}
