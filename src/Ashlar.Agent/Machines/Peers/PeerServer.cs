using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines.Fencing;
using Ashlar.Agent.Machines.Sessions;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Machines;

/// <summary>
/// Where the agents of other machines call, by mutual TLS: what they ask goes to our own API, and releases and the files of apps are handed out. One without a
/// certificate may only ask to join.
/// </summary>
internal sealed class PeerServer : IDisposable
{
    private static readonly TimeSpan HandshakePatience = TimeSpan.FromSeconds(10);
    private readonly FleetLink _fleet;
    private readonly StateFolder _state;
    private readonly Admittance _admittance;
    private readonly SessionServer _sessions;
    private readonly LeaseAgreements _leases;
    private readonly SourceOffers _sources;
    private readonly AgentLog _log;
    private readonly Socket _listener;
    private readonly Strangers _strangers = new();
    private readonly CancellationTokenSource _ending = new();

    /// <summary>Listens and serves until disposed.</summary>
    /// <exception cref="AshlarException">ASH4015 and others: the address cannot be had.</exception>
    public PeerServer(FleetLink fleet, StateFolder state, Admittance admittance, SessionServer sessions, LeaseAgreements leases, SourceOffers sources, AgentLog log)
    {
        (_fleet, _state, _admittance, _sessions, _leases, _sources, _log) = (fleet, state, admittance, sessions, leases, sources, log);
        var address = fleet.Own.PeerAddress;
        _listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _listener.Bind(address);
            _listener.Listen();
        }
        catch (SocketException e)
        {
            _listener.Dispose();
            throw Ashlar.Catalog.CatalogErrors.ListenFailed(address.Address.ToString(), address.Port, "machines", e.Message);
        }

        _ = AcceptAsync();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _ending.Cancel();
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptAsync(_ending.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            if (!_ending.IsCancellationRequested)
            {
                _log.Error(LogEvent.Listener, "The listener for other machines has ended", e);
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        if (socket.RemoteEndPoint is not IPEndPoint { Address: var address } || !_strangers.Enter(address))
        {
            socket.Dispose();
            return;
        }

        var stranger = true;
        try
        {
            PeerSocket.Prepare(socket);
            await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
            patience.CancelAfter(HandshakePatience);
            var options = _fleet.Identity.ServerOptions();
            options.RemoteCertificateValidationCallback = (_, shown, _, errors) => shown is null || errors == SslPolicyErrors.None;
            await stream.AuthenticateAsServerAsync(options, patience.Token);
            var (purpose, protocol) = await PeerFrames.ReadPurposeAsync(stream, patience.Token);
            if (stream.RemoteCertificate is not X509Certificate2 shown)
            {
                await (purpose == PeerFrames.Join ? AdmitAsync(stream, protocol, patience.Token) : Task.CompletedTask);
                return;
            }

            var name = MachineIdentity.NameOf(shown);
            var refused = _fleet.View.Knows(shown) ? Differs(name, protocol) : FleetErrors.NotOne(name, _fleet.Own.Name).Error;
            await PeerFrames.WriteAsync(stream, new PeerHello(PeerFrames.Protocol, refused), MachineJson.Default.PeerHello, patience.Token);
            if (refused is not null)
            {
                _log.Warning(LogEvent.Machine, $"call of {name} from {address}: {refused}");
                await stream.ShutdownAsync();
                return;
            }

            _strangers.Leave(address);
            stranger = false;
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            await (purpose switch
            {
                PeerFrames.Api => BridgeAsync(stream),
                PeerFrames.Lease => _leases.AnswerAsync(stream, name, _ending.Token),
                PeerFrames.Session => _sessions.ServeAsync(stream, _ending.Token),
                PeerFrames.Renew => RenewAsync(stream, name),
                PeerFrames.Fetch => ReleaseTransfer.SendAsync(stream, _state.Releases, _ending.Token),
                PeerFrames.Sources => _sources.SendAsync(stream, _ending.Token),
                _ => Task.CompletedTask,
            });
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException or ObjectDisposedException or SocketException)
        {
            _log.Info(LogEvent.Listener, $"another machine's call ended: {e.Message}");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _log.Error(LogEvent.Fault, $"a call from {address}", e);
        }
        finally
        {
            if (stranger)
            {
                _strangers.Leave(address);
            }
        }
    }

    private static AshlarError? Differs(string machine, int protocol) =>
        protocol == PeerFrames.Protocol ? null : FleetErrors.ProtocolDiffers(machine, protocol, PeerFrames.Protocol).Error;

    private async Task RenewAsync(SslStream stream, string machine)
    {
        var request = await PeerFrames.ReadAsync(stream, MachineJson.Default.RenewRequest, _ending.Token);
        RenewAnswer answer;
        try
        {
            answer = await _admittance.RenewAsync(machine, request, _ending.Token);
        }
        catch (AshlarException e)
        {
            _log.Warning(LogEvent.OrderFailed, $"renewal for {machine}: {e.Error}");
            answer = new RenewAnswer("", "", e.Error);
        }

        await PeerFrames.WriteAsync(stream, answer, MachineJson.Default.RenewAnswer, _ending.Token);
        await stream.ShutdownAsync();
    }

    private async Task AdmitAsync(SslStream stream, int protocol, CancellationToken cancellation)
    {
        await PeerFrames.WriteAsync(stream, new AuthorityAnswer(await File.ReadAllTextAsync(_fleet.Identity.AuthorityPath, cancellation)), MachineJson.Default.AuthorityAnswer, cancellation);
        var request = await PeerFrames.ReadAsync(stream, MachineJson.Default.JoinRequest, cancellation);
        JoinAnswer answer;
        try
        {
            answer = Differs(request.Name, protocol) is { } differs ? new JoinAnswer("", "", "", "", [], differs) : await _admittance.AdmitAsync(request, cancellation);
        }
        catch (AshlarException e)
        {
            _log.Warning(LogEvent.OrderFailed, $"join of {request.Address}: {e.Error}");
            answer = new JoinAnswer("", "", "", "", [], e.Error);
        }

        await PeerFrames.WriteAsync(stream, answer, MachineJson.Default.JoinAnswer, cancellation);
        await stream.ShutdownAsync();
    }

    // Frames are the same on both sides, so bytes are only passed on.
    private async Task BridgeAsync(SslStream stream)
    {
        using var own = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await own.ConnectAsync(new UnixDomainSocketEndPoint(_state.ApiSocket), _ending.Token);
        await using var api = new NetworkStream(own, ownsSocket: false);
        var coming = CopyAsync(stream, api, () => own.Shutdown(SocketShutdown.Send));
        await CopyAsync(api, stream, () => { });
        own.Dispose();
        await stream.ShutdownAsync();
        await coming;

        async Task CopyAsync(Stream from, Stream to, Action ended)
        {
            try
            {
                await from.CopyToAsync(to, _ending.Token);
                ended();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
            {
            }
        }
    }
}
