using System.Globalization;
using Ashlar.Catalog;
using Ashlar.Catalog.Channel;
using Ashlar.Dns.Serving;
using Ashlar.Monitoring;

namespace Ashlar.Dns.Tier;

/// <summary>
/// A running name server and its ties to the agent. It follows snapshots, tells facts, carries out commands, and goes on with what it has while there is
/// no agent.
/// </summary>
internal sealed class DnsProcess : IAsyncDisposable
{
    private readonly DnsOptions _options;
    private readonly TierLog _log;
    private readonly HeldServer _held;
    private readonly LiveView _live;
    private readonly ChannelClient _channel;
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _endAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _following = new(1);
    private CatalogSnapshot? _snapshot;
    private long _revision;
    private bool _connected;

    public DnsProcess(DnsOptions options, TierLog log, TimeProvider time)
    {
        (_options, _log) = (options, log);
        var metrics = new DnsMetrics(Metrics(options, log));
        _live = new LiveView(options, log, time) { Changed = Publish };
        _held = new HeldServer(metrics, () => _live.View, log.Say);
        _channel = new ChannelClient(options.Channel, Hello, new ChannelHandlers
        {
            Snapshot = snapshot => FollowAsync(snapshot).GetAwaiter().GetResult(),
            Command = CarryOutAsync,
            Descriptors = _held.Receive,
            ConnectionChanged = ConnectionChanged,
        });
    }

    /// <summary>Asks it to end.</summary>
    public void Stop() => _endAsked.TrySetResult();

    /// <summary>Runs until asked to stop and drained.</summary>
    public async Task RunAsync()
    {
        if (StoredSnapshot.Load(_options.SnapshotPath) is { } stored)
        {
            (_snapshot, _revision) = (stored, stored.Revision);
            _live.Apply(stored);
        }

        var channel = _channel.RunAsync(_ending.Token);
        var living = _live.RunAsync(_ending.Token);
        await _endAsked.Task;
        _log.Say("drains");
        await _held.DrainAsync(_options.Grace);

        // As long as it answers it is told what changes: nobody gets an answer of before from one that ends.
        await _held.DisposeAsync();
        await _ending.CancelAsync();
        await channel;
        await living;
    }

    public async ValueTask DisposeAsync()
    {
        await _held.DisposeAsync();
        _live.Dispose();
        _ending.Dispose();
        _following.Dispose();
    }

    private static MetricsFile Metrics(DnsOptions options, TierLog log)
    {
        var path = Path.Combine(options.MetricsFolder, $"{options.Instance}.{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}.metrics");
        var slots = DnsMetrics.SlotsFor(Math.Max(1, Environment.ProcessorCount));
        try
        {
            foreach (var old in Directory.EnumerateFiles(options.MetricsFolder, $"{options.Instance}.*.metrics")
                .Where(file => !MetricsReader.TryRead(file, out var read, out _) || !read.IsWriterAlive).OrderByDescending(File.GetLastWriteTimeUtc).Skip(1))
            {
                File.Delete(old);
            }

            return MetricsFile.Create(path, slots);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Say(DnsErrors.MetricsNotWritable(path, e.Message.TrimEnd('.')));
            return MetricsFile.InMemory(slots);
        }
    }

    private Hello Hello() => new(
        _options.Instance, CatalogDns.Tier, Environment.ProcessId, typeof(DnsProcess).Assembly.GetName().Version?.ToString(3) ?? "", [.. _held.Names], _revision);

    private async Task FollowAsync(CatalogSnapshot snapshot)
    {
        await _following.WaitAsync();
        try
        {
            if (snapshot.Revision >= _revision)
            {
                (_snapshot, _revision) = (snapshot, snapshot.Revision);
                _live.Apply(snapshot);
                await ListenAsync(snapshot);
                Store(snapshot);
            }
        }
        finally
        {
            _following.Release();
        }

        _channel.Report(new Fact(FactKinds.Applied, Number: _revision));
    }

    private async Task ListenAsync(CatalogSnapshot snapshot)
    {
        try
        {
            await _held.FollowAsync(snapshot);
        }
        catch (IOException e)
        {
            _log.Say(DnsErrors.CannotListen(CatalogDns.Tier, e.Message.TrimEnd('.')));
        }
    }

    private void Publish(AnswerView view)
    {
        if (_held.Server is { } server)
        {
            server.View = view;
        }
    }

    private void Store(CatalogSnapshot snapshot)
    {
        try
        {
            StoredSnapshot.Save(_options.SnapshotPath, snapshot);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Say(DnsErrors.NotWritable(_options.SnapshotPath, e.Message.TrimEnd('.')));
        }
    }

    private async Task<CommandResult> CarryOutAsync(Command command, CancellationToken cancellation)
    {
        switch (command.Name)
        {
            case CommandNames.Drain:
                Stop();
                return new CommandResult(true);
            case CommandNames.GiveListeners:
                var (names, descriptors) = _held.All();
                await _channel.SendDescriptorsAsync(names, descriptors, cancellation);
                return new CommandResult(true);
            case CommandNames.Alive:
                return new CommandResult(true);
            default:
                return new CommandResult(false, $"The name server knows no command {command.Name}.");
        }
    }

    private void ConnectionChanged(Exception? reason)
    {
        if (reason is not null && _snapshot is { } last)
        {
            // The agent may have gone between the sockets and the snapshot that says what they are for.
            ListenAsync(last).GetAwaiter().GetResult();
        }

        var connected = reason is null;
        if (connected != _connected && !_ending.IsCancellationRequested)
        {
            _connected = connected;
            _log.Say(connected ? "the agent is there" : $"the agent has gone ({reason!.Message}); goes on with revision {_revision}");
        }
    }
}
