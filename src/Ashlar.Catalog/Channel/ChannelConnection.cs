using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Ashlar.Catalog.Channel;

/// <summary>The agent's side of the channel to one tier's process.</summary>
public sealed class ChannelConnection : IDisposable
{
    private readonly FrameStream _stream;
    private readonly CancellationTokenSource _closing = new();
    private readonly Channel<Fact> _facts = System.Threading.Channels.Channel.CreateBounded<Fact>(10_000);
    private readonly Channel<ReceivedDescriptors> _descriptors = System.Threading.Channels.Channel.CreateBounded<ReceivedDescriptors>(100);
    private readonly ConcurrentDictionary<long, TaskCompletionSource<CommandResult>> _commands = new();
    private readonly SemaphoreSlim _snapshotTurn = new(1, 1);
    private readonly Lock _lock = new();
    private CatalogSnapshot? _newest;
    private long _sentRevision = -1;
    private long _lastCommand;
    private int _disposed;

    internal ChannelConnection(FrameStream stream, Hello hello)
    {
        _stream = stream;
        Hello = hello;
        Closed = Task.Run(ReadLoopAsync);
    }

    /// <summary>Who the tier says it is.</summary>
    public Hello Hello { get; }

    /// <summary>Who it is as the kernel sees it.</summary>
    public Peer Peer => _stream.Peer;

    /// <summary>Facts in the order the tier reported them; completes when the connection closes.</summary>
    public ChannelReader<Fact> Facts => _facts.Reader;

    /// <summary>Descriptors the tier has sent; completes when the connection closes. The reader owns them.</summary>
    public ChannelReader<ReceivedDescriptors> Descriptors => _descriptors.Reader;

    /// <summary>Completes when the connection has closed; its result is the reason, null if the tier just went or we disposed.</summary>
    public Task<Exception?> Closed { get; }

    /// <summary>
    /// Sends a snapshot. Completes when it or a newer one is written; one older than the last sent is passed over, and of many that
    /// wait for a slow tier only the newest goes out. A tier that hangs makes this wait: bound it or do not await it.
    /// </summary>
    /// <exception cref="IOException">The tier is gone.</exception>
    public async Task SendSnapshotAsync(CatalogSnapshot snapshot, CancellationToken cancellation = default)
    {
        lock (_lock)
        {
            if (_newest is null || snapshot.Revision > _newest.Revision)
            {
                _newest = snapshot;
            }
        }

        await _snapshotTurn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            CatalogSnapshot newest;
            lock (_lock)
            {
                newest = _newest;
            }

            if (newest.Revision > _sentRevision)
            {
                var message = new ChannelMessage(ChannelKinds.Snapshot) { Snapshot = newest };
                await _stream.SendAsync(message, ChannelJson.Default.ChannelMessage, cancellation).ConfigureAwait(false);
                _sentRevision = newest.Revision;
            }
        }
        finally
        {
            _snapshotTurn.Release();
        }
    }

    /// <summary>Sends a command and waits for its result.</summary>
    /// <exception cref="IOException">The tier is gone before it answered; whether it carried the command out is not known.</exception>
    public async Task<CommandResult> SendCommandAsync(Command command, CancellationToken cancellation = default)
    {
        var id = Interlocked.Increment(ref _lastCommand);
        var answer = new TaskCompletionSource<CommandResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _commands[id] = answer;
        try
        {
            var message = new ChannelMessage(ChannelKinds.Command) { Id = id, Command = command };
            await _stream.SendAsync(message, ChannelJson.Default.ChannelMessage, cancellation).ConfigureAwait(false);
            if (Closed.IsCompleted)
            {
                throw new IOException("The tier is gone.");
            }

            return await answer.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _commands.TryRemove(id, out _);
        }
    }

    /// <summary>Sends descriptors with a name each; at most <see cref="FrameStream.MostDescriptors"/>. The caller keeps its own.</summary>
    /// <exception cref="IOException">The tier is gone.</exception>
    public Task SendDescriptorsAsync(
        IReadOnlyList<string> names, IReadOnlyList<Descriptor> descriptors, CancellationToken cancellation = default) =>
        _stream.SendAsync(
            ReceivedDescriptors.ToMessage(names, descriptors), ChannelJson.Default.ChannelMessage, descriptors, cancellation);

    /// <summary>Closes the connection; the tier will try to connect again.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _closing.Cancel();
        _stream.Dispose();
    }

    private async Task<Exception?> ReadLoopAsync()
    {
        Exception? reason = null;
        try
        {
            while (await _stream.ReadAsync(ChannelJson.Default.ChannelMessage, _closing.Token).ConfigureAwait(false) is { } message)
            {
                await HandleAsync(message).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            reason = Volatile.Read(ref _disposed) == 0 ? e : null;
        }

        _stream.Dispose();
        _facts.Writer.TryComplete();
        _descriptors.Writer.TryComplete();
        foreach (var (_, answer) in _commands)
        {
            answer.TrySetException(new IOException("The tier is gone.", reason));
        }

        return reason;
    }

    private async ValueTask HandleAsync(ChannelMessage message)
    {
        switch (message)
        {
            case { Kind: ChannelKinds.Fact, Fact: { } fact }:
                await _facts.Writer.WriteAsync(fact, _closing.Token).ConfigureAwait(false);
                break;
            case { Kind: ChannelKinds.Descriptors }:
                var received = ReceivedDescriptors.Take(_stream, message.Names);
                try
                {
                    await _descriptors.Writer.WriteAsync(received, _closing.Token).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    received.Dispose();
                    throw;
                }

                break;
            case { Kind: ChannelKinds.Result, Result: { } result }:
                if (_commands.TryGetValue(message.Id, out var answer))
                {
                    answer.TrySetResult(result);
                }

                break;
        }
    }
}
