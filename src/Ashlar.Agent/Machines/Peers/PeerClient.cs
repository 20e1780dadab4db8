using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ashlar.Agent.Api;
using Ashlar.Catalog;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Machines;

/// <summary>Calls the agents of other machines.</summary>
internal static class PeerClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A connection to the agent of a machine, for one purpose.</summary>
    /// <exception cref="AshlarException">ASH7503: another one answers there; ASH7515, ASH7516: it refuses us; ASH7517: our certificate has run out.</exception>
    /// <exception cref="IOException">It does not answer.</exception>
    public static async Task<SslStream> CallAsync(MachineIdentity identity, MachineRecord machine, byte purpose, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            var stream = await identity.ConnectAsync(machine.Name, new IPEndPoint(IPAddress.Parse(machine.Address), machine.PeerPort), patience.Token);
            try
            {
                await PeerFrames.WritePurposeAsync(stream, purpose, patience.Token);
                var hello = await PeerFrames.ReadAsync(stream, MachineJson.Default.PeerHello, patience.Token);
                return hello.Error is null ? stream
                    : hello.Protocol == PeerFrames.Protocol ? throw new AshlarException(hello.Error)
                    : throw FleetErrors.ProtocolDiffers(machine.Name, hello.Protocol, PeerFrames.Protocol);
            }
            catch
            {
                await stream.DisposeAsync();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or AshlarException && identity.ValidUntil < DateTimeOffset.UtcNow)
        {
            throw FleetErrors.Expired(identity.Name, identity.ValidUntil);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"{machine.Name} does not answer.", e);
        }
    }

    /// <summary>Has another machine's agent carry out a request.</summary>
    /// <exception cref="AshlarException">What that agent refuses, ASH7503, ASH7508: it cannot be reached, so nothing was asked.</exception>
    /// <exception cref="IOException">It has ceased to answer; what it was asked may be done all the same.</exception>
    public static async Task ForwardAsync(MachineIdentity identity, MachineRecord machine, AgentRequest request, Action<AgentReply> reply, CancellationToken cancellation)
    {
        await using var stream = await ReachAsync(identity, machine, cancellation);
        await PeerFrames.WriteAsync(stream, request, AgentJson.Default.AgentRequest, cancellation);
        while (true)
        {
            var next = await PeerFrames.ReadAsync(stream, AgentJson.Default.AgentReply, cancellation);
            switch (next.Kind)
            {
                case AgentReplyKinds.Done:
                    return;
                case AgentReplyKinds.Error:
                    throw new AshlarException(next.Error!);
                default:
                    reply(next);
                    break;
            }
        }
    }

    private static async Task<SslStream> ReachAsync(MachineIdentity identity, MachineRecord machine, CancellationToken cancellation)
    {
        try
        {
            return await CallAsync(identity, machine, PeerFrames.Api, cancellation);
        }
        catch (IOException e)
        {
            throw FleetErrors.Unreachable(machine.Name, machine.Address, e.Message.TrimEnd('.'), e);
        }
        catch (OperationCanceledException e)
        {
            throw FleetErrors.Unreachable(machine.Name, machine.Address, "it had not answered when that was given up", e); // Another leads by now: it can be asked the same.
        }
    }

    /// <summary>Has the leader sign our certificates anew.</summary>
    /// <exception cref="AshlarException">It refuses; ASH7503.</exception>
    /// <exception cref="IOException">It does not answer.</exception>
    public static async Task<RenewAnswer> RenewAsync(MachineIdentity identity, MachineRecord leader, RenewRequest request, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        await using var stream = await CallAsync(identity, leader, PeerFrames.Renew, patience.Token);
        await PeerFrames.WriteAsync(stream, request, MachineJson.Default.RenewRequest, patience.Token);
        var answer = await PeerFrames.ReadAsync(stream, MachineJson.Default.RenewAnswer, patience.Token);
        return answer.Refusal is { } refusal ? throw new AshlarException(refusal) : answer;
    }

    /// <summary>
    /// Joins a stack: looks whether the authority is the one that the token names before the secret is told, then asks for a certificate.
    /// </summary>
    /// <returns>The answer, and the authority's certificate as PEM.</returns>
    /// <exception cref="AshlarException">ASH7502 to ASH7508.</exception>
    public static async Task<(JoinAnswer Answer, string Authority)> JoinAsync(JoinToken token, JoinRequest request, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            using var socket = new Socket(token.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(token.Address, patience.Token);
            X509Certificate2? shown = null;
            await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "ashlar",
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => (shown = certificate is X509Certificate2 c ? new X509Certificate2(c) : null) is not null,
                },
                patience.Token);
            await PeerFrames.WritePurposeAsync(stream, PeerFrames.Join, patience.Token);
            var authority = (await PeerFrames.ReadAsync(stream, MachineJson.Default.AuthorityAnswer, patience.Token)).Authority;
            if (!IsSignedBy(shown!, authority, token.Authority))
            {
                throw FleetErrors.AnswersAsAnother("of the stack", token.Address.ToString(), "one of another stack");
            }

            await PeerFrames.WriteAsync(stream, request, MachineJson.Default.JoinRequest, patience.Token);
            var answer = await PeerFrames.ReadAsync(stream, MachineJson.Default.JoinAnswer, patience.Token);
            return answer.Refusal is { } refusal ? throw new AshlarException(refusal) : (answer, authority);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw FleetErrors.Unreachable("that gave the token", token.Address.ToString(), e.Message.TrimEnd('.'), e);
        }
    }

    private static bool IsSignedBy(X509Certificate2 shown, string authorityPem, byte[] fingerprint)
    {
        try
        {
            using var authority = X509Certificate2.CreateFromPem(authorityPem);
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.CustomTrustStore.Add(authority);
            return CryptographicOperations.FixedTimeEquals(StackAuthority.FingerprintOf(authority), fingerprint) && chain.Build(shown);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
