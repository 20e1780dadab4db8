using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Ashlar.Dashboard.Http;

/// <summary>Kestrel by itself: HTTP/1.1 on loopback, behind the edge, with tight limits. No host, container, routes or log around it.</summary>
internal sealed class PageServer : IAsyncDisposable
{
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(2);
    private readonly ConnectionRoom _room = new();
    private readonly KestrelServer _kestrel;
    private readonly PageApplication _application;
    private readonly int _port;

    /// <param name="application">Answers the requests.</param>
    /// <param name="port">Port; 0: any that is free.</param>
    public PageServer(PageApplication application, int port)
    {
        (_application, _port) = (application, port);
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = 4096;
        options.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        options.Limits.MaxRequestHeaderCount = 64;
        options.Limits.MaxRequestLineSize = 4096;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        options.Limits.MinRequestBodyDataRate = new MinDataRate(100, TimeSpan.FromSeconds(5));
        options.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => _room.OnConnectionAsync(connection, next));
        });
        _kestrel = new KestrelServer(
            Options.Create(options),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);
    }

    /// <summary>The port that it listens on.</summary>
    public int Port => _kestrel.Features.Get<IServerAddressesFeature>() is { Addresses: var all } && all.FirstOrDefault() is { } address
        ? new Uri(address).Port
        : _port;

    /// <exception cref="Errors.AshlarException">ASH7202.</exception>
    public async Task StartAsync()
    {
        try
        {
            await _kestrel.StartAsync(new Application(_application, _room), CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or AddressInUseException)
        {
            throw DashboardErrors.CannotListen(_port, e.Message.TrimEnd('.'));
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(EndPatience);
        await _kestrel.StopAsync(patience.Token);
        _kestrel.Dispose();
    }

    private sealed class Application(PageApplication answers, ConnectionRoom room) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures)
        {
            room.Begin(contextFeatures);
            return new DefaultHttpContext(contextFeatures);
        }

        public async Task ProcessRequestAsync(HttpContext context)
        {
            try
            {
                await answers.AnswerAsync(context);
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                // The visitor has gone.
            }
        }

        public void DisposeContext(HttpContext context, Exception? exception) => room.End(context.Features);
    }
}
