using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet;
using Ashlar.Fleet.Identity;
using Ashlar.Fleet.Placement;

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

    /// <summary>
    /// Takes a machine in, or gives one that is in new certificates, if it shows the key that it had. Of one without a good token nothing else
    /// is looked at.
    /// </summary>
    /// <exception cref="AshlarException">ASH7502, ASH7504 to ASH7507, ASH7511.</exception>
    public async Task<JoinAnswer> AdmitAsync(JoinRequest request, CancellationToken cancellation = default)
    {
        var tokens = new JoinTokens(store, time);
        var secret = Convert.ToHexStringLower(SHA256.HashData(request.Secret));
        await tokens.RequireAsync(secret, cancellation);
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

        if (request.Labels.FirstOrDefault(label => !MachineLabel.IsOne(label)) is { } bad)
        {
            throw FleetErrors.BadLabel(bad);
        }

        var key = Keys.Node(request.Name);
        var before = await store.GetAsync(key, cancellation);
        var known = before is null ? null : JsonSerializer.Deserialize(before.Value.Span, MachineJson.Default.MachineRecord)!;
        var shown = StackAuthority.KeyOf(request.Request);
        if (known is not null && known.Key != shown)
        {
            throw FleetErrors.NameTaken(request.Name, known.Address);
        }

        if (await OwnerOfAsync(request, cancellation) is { } owner)
        {
            throw FleetErrors.AddressTaken(request.Address, owner);
        }

        using var authority = await AuthorityAsync(Keys.Authority, cancellation);
        using var hop = await AuthorityAsync(Keys.HopAuthority, cancellation);
        var certificate = authority.Sign(request.Request, request.Name, [address], time.GetUtcNow());
        var hopCertificate = hop.Sign(request.HopRequest, request.Name, [address], time.GetUtcNow());
        var record = (known ?? new MachineRecord { Name = request.Name, Address = "", PeerPort = 0, HopPort = 0, Joined = time.GetUtcNow() }) with
        {
            Name = request.Name,
            Address = request.Address,
            PeerPort = request.PeerPort,
            HopPort = request.HopPort,
            Labels = request.Labels.Union(known?.Labels ?? []),
            Memory = request.Memory,
            Cores = request.Cores,
            Key = shown,
        };
        await tokens.SpendAsync(
            secret,
            [new StoreCondition(key, ModRevision: before?.ModRevision ?? 0)],
            [StoreExtensions.Put(key, record, MachineJson.Default.MachineRecord)],
            cancellation);
        log.Info(LogEvent.Machine, $"{request.Name} joins, {request.Address}");
        return new JoinAnswer(fleet.Own.Stack, certificate, hopCertificate, hop.CertificatePem, fleet.Own.Endpoints);
    }

    /// <summary>Signs the certificates of a machine of the stack anew.</summary>
    /// <param name="machine">The machine, as its present certificate names it.</param>
    /// <param name="request">What it asks.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="AshlarException">ASH7507, ASH7515.</exception>
    public async Task<RenewAnswer> RenewAsync(string machine, RenewRequest request, CancellationToken cancellation = default)
    {
        var record = await store.GetAsync(Keys.Node(machine), MachineJson.Default.MachineRecord, cancellation);
        if (record is null || (record.Key.Length > 0 && record.Key != StackAuthority.KeyOf(request.Request)))
        {
            throw FleetErrors.NotOne(machine, fleet.Own.Name);
        }

        using var authority = await AuthorityAsync(Keys.Authority, cancellation);
        using var hop = await AuthorityAsync(Keys.HopAuthority, cancellation);
        IPAddress[] addresses = [IPAddress.Parse(record.Address)];
        log.Info(LogEvent.Machine, $"{machine} gets new certificates");
        return new RenewAnswer(
            authority.Sign(request.Request, machine, addresses, time.GetUtcNow()), hop.Sign(request.HopRequest, machine, addresses, time.GetUtcNow()));
    }

    // Two machines behind one address and port would answer as each other.
    private async Task<string?> OwnerOfAsync(JoinRequest request, CancellationToken cancellation) => (await store.ListAsync(Keys.Nodes, cancellation)).Entries
        .Select(entry => JsonSerializer.Deserialize(entry.Value.Span, MachineJson.Default.MachineRecord)!)
        .FirstOrDefault(record => record.Name != request.Name && record.Address == request.Address && record.PeerPort == request.PeerPort)?.Name;

    private static bool IsPort(int port) => port is > 0 and <= ushort.MaxValue;

    private async Task<StackAuthority> AuthorityAsync(string key, CancellationToken cancellation) => await store.GetAsync(key, cancellation) is { } kept
        ? StackAuthority.Import(Encoding.ASCII.GetString(kept.Value.Span))
        : throw FleetErrors.IdentityUnusable("The stack's authority", "it is not in the store");
}
