using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Ashlar.Edge.Http2;

/// <summary>
/// HTTP/2's frames, streams, header compression and flow control, by Kestrel. It opens no socket: connections that have chosen h2 in their
/// handshake are given to it, and each of their requests becomes an ordinary exchange. Begins with the first such connection.
/// </summary>
internal sealed class Http2Server : IConnectionListenerFactory, IHttpApplication<Http2Request>, IAsyncDisposable
{
    private readonly Channel<ConnectionContext> _connections = Channel.CreateUnbounded<ConnectionContext>();
    private readonly Action<Exception> _onFault;
    private readonly Lazy<KestrelServer> _server;
    private readonly TimeSpan _patience;
    private Task _starting = Task.CompletedTask;

    /// <param name="keepAlive">How long a connection without a request is kept.</param>
    /// <param name="patience">How long a client may take nothing of what waits for it.</param>
    /// <param name="onFault">Told what should not happen.</param>
    public Http2Server(TimeSpan keepAlive, TimeSpan patience, Action<Exception> onFault)
    {
        (_onFault, _patience) = (onFault, patience);
        _server = new Lazy<KestrelServer>(() => Start(keepAlive));
    }

    /// <summary>Serves the connection from now on.</summary>
    public void Take(Http2Connection connection)
    {
        _connections.Writer.TryWrite(connection);
        _ = _server.Value;
    }

    public async ValueTask DisposeAsync()
    {
        _connections.Writer.TryComplete();
        if (_server.IsValueCreated)
        {
            // One that is stopped while it starts takes that for a mistake.
            var server = _server.Value;
            await _starting.ConfigureAwait(false);
            using var atOnce = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await server.StopAsync(atOnce.Token).ConfigureAwait(false);
            server.Dispose();
        }
    }

    ValueTask<IConnectionListener> IConnectionListenerFactory.BindAsync(EndPoint endpoint, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IConnectionListener>(new Listener(endpoint, _connections.Reader));

    Http2Request IHttpApplication<Http2Request>.CreateContext(IFeatureCollection contextFeatures) => new(contextFeatures, _patience);

    Task IHttpApplication<Http2Request>.ProcessRequestAsync(Http2Request context) => context.ServeAsync();

    void IHttpApplication<Http2Request>.DisposeContext(Http2Request context, Exception? exception)
    {
        if (exception is not null)
        {
            _onFault(exception);
        }
    }

    private KestrelServer Start(TimeSpan keepAlive)
    {
        var options = new KestrelServerOptions
        {
            AddServerHeader = false,

            // Its connections carry no TLS any more: what the client says of the scheme is not to be compared with that.
            AllowAlternateSchemes = true,
            RequestHeaderEncodingSelector = static _ => System.Text.Encoding.Latin1,
            ResponseHeaderEncodingSelector = static _ => System.Text.Encoding.Latin1,
        };
        var limits = options.Limits;
        limits.MaxRequestHeadersTotalSize = 32 * 1024;
        limits.MaxRequestHeaderCount = 100;
        limits.KeepAliveTimeout = keepAlive;

        // Bodies and their pace are the exchange's matter, as with HTTP/1.1.
        limits.MaxRequestBodySize = null;
        limits.MinRequestBodyDataRate = null;
        // The end of an answer lies with Kestrel alone: what is left of it has a clock there, after ours.
        limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 1, gracePeriod: _patience * 2);
        limits.Http2.MaxStreamsPerConnection = 100;
        limits.Http2.InitialStreamWindowSize = 256 * 1024;
        limits.Http2.InitialConnectionWindowSize = 1024 * 1024;
        options.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
        var server = new KestrelServer(Options.Create(options), this, NullLoggerFactory.Instance);
        _starting = StartAsync(server);
        return server;
    }

    private async Task StartAsync(KestrelServer server)
    {
        try
        {
            await Task.Yield();
            await server.StartAsync(this, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _onFault(e);
        }
    }

    private sealed class Listener(EndPoint endPoint, ChannelReader<ConnectionContext> connections) : IConnectionListener
    {
        private readonly CancellationTokenSource _unbound = new();

        public EndPoint EndPoint { get; } = endPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                return await connections.ReadAsync(_unbound.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
            {
                return null;
            }
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _unbound.Cancel();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            _unbound.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
