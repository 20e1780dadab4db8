using System.Threading.Channels;

namespace Ashlar.Catalog.Channel;

/// <summary>The agent's end of the channel: listens on a Unix socket and gives a <see cref="ChannelConnection"/> for every tier that says hello.</summary>
public sealed class ChannelServer : IAsyncDisposable
{
    private static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(10);
    private readonly FrameListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<ChannelConnection> _connections = System.Threading.Channels.Channel.CreateUnbounded<ChannelConnection>();
    private readonly Task _accepting;
    private int _disposed;

    private ChannelServer(FrameListener listener)
    {
        _listener = listener;
        _accepting = AcceptLoopAsync();
    }

    /// <summary>Listens at a path; see <see cref="FrameListener.Listen"/>.</summary>
    /// <param name="path">Path of the socket; its folder exists.</param>
    /// <param name="trustedUser">User id that tiers run as, if not our own.</param>
    /// <exception cref="Errors.AshlarException">ASH4054, ASH4055.</exception>
    public static ChannelServer Listen(string path, uint? trustedUser = null) => new(FrameListener.Listen(path, trustedUser));

    /// <summary>False: the socket's file is gone, and no other process can connect any more.</summary>
    public bool IsReachable => _listener.IsReachable;

    /// <summary>The next tier that has connected and said hello.</summary>
    /// <exception cref="ChannelClosedException">The server was disposed.</exception>
    public ValueTask<ChannelConnection> AcceptAsync(CancellationToken cancellation = default) =>
        _connections.Reader.ReadAsync(cancellation);

    /// <summary>Stops listening. Connections already given out stay open; the caller disposes them.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        _connections.Writer.TryComplete();
        while (_connections.Reader.TryRead(out var connection))
        {
            connection.Dispose();
        }

        _stopping.Dispose();
    }

    private async Task AcceptLoopAsync()
    {
        var greetings = new HashSet<Task>();
        try
        {
            while (true)
            {
                var stream = await _listener.AcceptAsync(_stopping.Token).ConfigureAwait(false);
                greetings.RemoveWhere(task => task.IsCompleted);
                greetings.Add(GreetAsync(stream));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            await Task.WhenAll(greetings).ConfigureAwait(false);
        }
    }

    private async Task GreetAsync(FrameStream stream)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        patience.CancelAfter(HelloTimeout);
        try
        {
            var first = await stream.ReadAsync(ChannelJson.Default.ChannelMessage, patience.Token).ConfigureAwait(false);
            if (first is { Kind: ChannelKinds.Hello, Hello: { } hello }
                && _connections.Writer.TryWrite(new ChannelConnection(stream, hello)))
            {
                return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // Not a tier, or gone again: nothing to tell anybody.
        }

        stream.Dispose();
    }
}
