using System.Threading.Channels;

namespace Ashlar.Catalog.Channel;

/// <summary>What a tier does with the messages of the agent. All are called one after the other, in the order of arrival.</summary>
public sealed record ChannelHandlers
{
    /// <summary>A snapshot came. It may be older than the tier's own, from an agent that has just started: the tier decides.</summary>
    public required Action<CatalogSnapshot> Snapshot { get; init; }

    /// <summary>Carries a command out; its result goes back. An exception goes back as a result that is not Ok.</summary>
    public required Func<Command, CancellationToken, Task<CommandResult>> Command { get; init; }

    /// <summary>Descriptors came; they are the tier's from now on.</summary>
    public required Action<ReceivedDescriptors> Descriptors { get; init; }

    /// <summary>A connection opened (null) or closed, or an attempt failed (its reason).</summary>
    public Action<Exception?> ConnectionChanged { get; init; } = _ => { };
}

/// <summary>
/// A tier's end of the channel: keeps a connection to the agent, for ever. Nothing waits for the agent: facts are queued while it is away.
/// </summary>
public sealed class ChannelClient(
    string path, Func<Hello> hello, ChannelHandlers handlers, uint? trustedUser = null, TimeProvider? time = null)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Channel<Fact> _facts = System.Threading.Channels.Channel.CreateBounded<Fact>(
        new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private volatile FrameStream? _stream;

    /// <summary>True while there is a connection.</summary>
    public bool Connected => _stream is not null;

    /// <summary>
    /// Connects, says hello and serves the connection; when it breaks, connects again after 50 ms, doubling to 1 s.
    /// Returns only when cancelled.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var pause = ShortestPause;
        while (!cancellation.IsCancellationRequested)
        {
            Exception? reason = null;
            try
            {
                using var stream = FrameStream.Connect(path, trustedUser);
                var greeting = new ChannelMessage(ChannelKinds.Hello) { Hello = hello() };
                await stream.SendAsync(greeting, ChannelJson.Default.ChannelMessage, cancellation).ConfigureAwait(false);
                _stream = stream;
                handlers.ConnectionChanged(null);
                if (await ServeAsync(stream, cancellation).ConfigureAwait(false))
                {
                    pause = ShortestPause;
                }

                reason = new IOException("The agent closed the channel.");
            }
            catch (Exception e) when (e is IOException or Errors.AshlarException)
            {
                reason = e;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            finally
            {
                _stream = null;
            }

            handlers.ConnectionChanged(reason);
            try
            {
                await Task.Delay(pause, _time, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>
    /// Reports a fact. It is sent as soon as there is a connection, in order; one whose connection breaks may be sent twice, and of
    /// more than 1024 that wait the oldest are dropped. Never waits.
    /// </summary>
    public void Report(Fact fact) => _facts.Writer.TryWrite(fact);

    /// <summary>Sends descriptors to the agent, a name each. The caller keeps its own.</summary>
    /// <exception cref="IOException">There is no connection, or it broke.</exception>
    public Task SendDescriptorsAsync(
        IReadOnlyList<string> names, IReadOnlyList<Descriptor> descriptors, CancellationToken cancellation = default)
    {
        var stream = _stream ?? throw new IOException("There is no connection to the agent.");
        return stream.SendAsync(
            ReceivedDescriptors.ToMessage(names, descriptors), ChannelJson.Default.ChannelMessage, descriptors, cancellation);
    }

    // True if anything came: the agent is alive, and the next attempt need not wait long.
    private async Task<bool> ServeAsync(FrameStream stream, CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var reporting = ReportLoopAsync(stream, end.Token);
        var heard = false;
        try
        {
            while (await stream.ReadAsync(ChannelJson.Default.ChannelMessage, cancellation).ConfigureAwait(false) is { } message)
            {
                heard = true;
                await HandleAsync(stream, message, cancellation).ConfigureAwait(false);
            }
        }
        catch (IOException) when (heard)
        {
            // A connection that has worked and broke: an agent that went.
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
            stream.Dispose();
            await reporting.ConfigureAwait(false);
        }

        return heard;
    }

    private async Task ReportLoopAsync(FrameStream stream, CancellationToken cancellation)
    {
        try
        {
            while (await _facts.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false))
            {
                // Taken from the queue only once it is written.
                while (_facts.Reader.TryPeek(out var fact))
                {
                    var message = new ChannelMessage(ChannelKinds.Fact) { Fact = fact };
                    await stream.SendAsync(message, ChannelJson.Default.ChannelMessage, cancellation).ConfigureAwait(false);
                    if (_facts.Reader.TryPeek(out var still) && ReferenceEquals(still, fact))
                    {
                        _facts.Reader.TryRead(out _);
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The next connection goes on.
        }
    }

    private async Task HandleAsync(FrameStream stream, ChannelMessage message, CancellationToken cancellation)
    {
        switch (message)
        {
            case { Kind: ChannelKinds.Snapshot, Snapshot: { } snapshot }:
                handlers.Snapshot(snapshot);
                break;
            case { Kind: ChannelKinds.Descriptors }:
                handlers.Descriptors(ReceivedDescriptors.Take(stream, message.Names));
                break;
            case { Kind: ChannelKinds.Command, Command: { } command }:
                var result = await CarryOutAsync(command, cancellation).ConfigureAwait(false);
                var answer = new ChannelMessage(ChannelKinds.Result) { Id = message.Id, Result = result };
                await stream.SendAsync(answer, ChannelJson.Default.ChannelMessage, cancellation).ConfigureAwait(false);
                break;
        }
    }

    private async Task<CommandResult> CarryOutAsync(Command command, CancellationToken cancellation)
    {
        try
        {
            return await handlers.Command(command, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            return new CommandResult(false, e.Message);
        }
    }
}
