using System.Net;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Machines;

/// <summary>Takes machines into the stack: gives tokens out, and certificates to those who bring one.</summary>
internal sealed class Admittance(FleetLink fleet, IStore store, AgentLog log, TimeProvider time)
{
    private static readonly TimeSpan MostClockDifference = TimeSpan.FromMinutes(2);

    /// <summary>Makes a token for one more machine.</summary>
    public async Task<string> GiveTokenAsync(CancellationToken cancellation = default)
    {
        using var authority = await AuthorityAsync(Keys.Authority, cancellation);
        var token = JoinToken.Create(fleet.Own.PeerAddress, authority.Fingerprint);
        await new JoinTokens(store, time).GiveAsync(token, cancellation);
        return token.Print();
    }

    /// <summary>Takes a machine in.</summary>
    /// <exception cref="AshlarException">ASH7502, ASH7504 to ASH7507.</exception>
    public async Task<JoinAnswer> AdmitAsync(JoinRequest request, CancellationToken cancellation = default)
    {
        MachineName.Check(request.Name);
        var off = request.Clock - time.GetUtcNow();
        if (off.Duration() > MostClockDifference)
        {
            throw FleetErrors.ClockOff(request.Name, off);
        }

        if (!IPAddress.TryParse(request.Address, out var address) || !IsPort(request.PeerPort) || !IsPort(request.HopPort))
        {
            throw FleetErrors.AddressNotOwn($"{request.Address}, ports {request.PeerPort} and {request.HopPort},", []);
        }

        if (fleet.View.Records.TryGetValue(request.Name, out var taken))
        {
            throw FleetErrors.NameTaken(request.Name, taken.Address);
        }

        using var authority = await AuthorityAsync(Keys.Authority, cancellation);
        using var hop = await AuthorityAsync(Keys.HopAuthority, cancellation);
        var certificate = authority.Sign(request.Request, request.Name, [address], time.GetUtcNow());
        var hopCertificate = hop.Sign(request.HopRequest, request.Name, [address], time.GetUtcNow());
        var record = new MachineRecord
        {
            Name = request.Name,
            Address = request.Address,
            PeerPort = request.PeerPort,
            HopPort = request.HopPort,
            Labels = request.Labels,
            Memory = request.Memory,
            Cores = request.Cores,
            Joined = time.GetUtcNow(),
        };
        var key = Keys.Node(request.Name);
        await new JoinTokens(store, time).SpendAsync(
            Convert.ToHexStringLower(SHA256.HashData(request.Secret)),
            [new StoreCondition(key, ModRevision: 0)],
            [StoreExtensions.Put(key, record, MachineJson.Default.MachineRecord)],
            cancellation);
        log.Info(LogEvent.Machine, $"{request.Name} joins, {request.Address}");
        return new JoinAnswer(fleet.Own.Stack, certificate, hopCertificate, hop.CertificatePem, fleet.Own.Endpoints);
    }

    private static bool IsPort(int port) => port is > 0 and <= ushort.MaxValue;

    private async Task<StackAuthority> AuthorityAsync(string key, CancellationToken cancellation) => await store.GetAsync(key, cancellation) is { } kept
        ? StackAuthority.Import(Encoding.ASCII.GetString(kept.Value.Span))
        : throw FleetErrors.IdentityUnusable("The stack's authority", "it is not in the store");
}
