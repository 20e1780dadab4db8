using System.Net;
using System.Net.Sockets;
using System.Text;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Agent.Machines.Fencing;
using Ashlar.Agent.Machines.Sessions;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Store;
using Ashlar.Fleet.Identity;
using Ashlar.Testing;

namespace Ashlar.Agent.Tests.Machines;

/// <summary>A first machine that listens for others, without a stack.</summary>
internal sealed class PeerRig : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly SqliteStore _shared;
    private readonly SqliteStore _own;
    private readonly FleetLink _fleet;
    private readonly PeerServer _server;

    /// <param name="script">What this machine's program does; its arguments are the verb, <c>--stack</c>, the folder, and <c>--here</c> as 4th.</param>
    public PeerRig(string script = "exit 1")
    {
        var program = Path.Combine(_folder.Path, "program");
        File.WriteAllText(program, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        State = StateFolder.Of(_folder.Path);
        State.Create(null);
        Sources = new SourceOffers(State, TimeProvider.System);
        _shared = SqliteStore.Open(State.Store, TimeProvider.System);
        _own = SqliteStore.Open(State.MachineStore, TimeProvider.System);
        using var authority = StackAuthority.Create("shop", DateTimeOffset.UtcNow);
        MachineIdentity.Keep(
            State.Identity, authority.Sign(MachineIdentity.Request(State.Identity, "m1"), "m1", [IPAddress.Loopback], DateTimeOffset.UtcNow), authority.CertificatePem);
        using var hop = StackAuthority.Create("edges", DateTimeOffset.UtcNow);
        MachineIdentity.Keep(
            State.HopIdentity, hop.Sign(MachineIdentity.Request(State.HopIdentity, "m1"), "m1", [IPAddress.Loopback], DateTimeOffset.UtcNow), hop.CertificatePem);
        Identity = MachineIdentity.Load(State.Identity)!;
        Machine = new MachineFile { Stack = "shop", Name = "m1", Address = "127.0.0.1", PeerPort = FreePort(), HopPort = 1, Endpoints = [new Uri("https://127.0.0.1:7402")] };
        _shared.CommitAsync(new StoreTransaction(
            [],
            [
                StoreExtensions.Put(Keys.Node("m1"), Record with { Key = StackAuthority.KeyOf(Identity.Certificate) }, MachineJson.Default.MachineRecord),
                new StoreWrite(Keys.Authority, Encoding.ASCII.GetBytes(authority.ExportPem())),
                new StoreWrite(Keys.HopAuthority, Encoding.ASCII.GetBytes(hop.ExportPem())),
            ])).AsTask().Wait();
        var log = new AgentLog(TextWriter.Null, TimeProvider.System);
        var store = new MirroredStore(_shared, _own);
        _fleet = new FleetLink(new AgentLoop(log), Machine, Identity, store, log, TimeProvider.System);
        _fleet.RememberAsync().AsTask().Wait();
        Admittance = new Admittance(_fleet, store, log, TimeProvider.System);
        _server = new PeerServer(_fleet, State, Admittance, new SessionServer(program, StackFolder, log), new LeaseAgreements(() => View), Sources, log);
    }

    public StateFolder State { get; }

    /// <summary>What was ordered here.</summary>
    public SourceOffers Sources { get; }

    /// <summary>What this machine knows of the others.</summary>
    public FleetView View { get; set; } = new();

    public string StackFolder => _folder.Path;

    /// <summary>The machine as others list it.</summary>
    public MachineLine Line => new("m1", "127.0.0.1", "alive", true, 0, 0, 1, "") { PeerPort = Machine.PeerPort };

    public MachineIdentity Identity { get; }

    public MachineFile Machine { get; }

    public Admittance Admittance { get; }

    public IStore Store => _shared;

    public FleetLink Fleet => _fleet;

    /// <summary>Has another machine join, and gives what it is known by.</summary>
    public async Task<MachineIdentity> JoinAsync(string name, int port = 7400, string address = "127.0.0.1")
    {
        var token = JoinToken.Parse(await Admittance.GiveTokenAsync());
        var (answer, authority) = await PeerClient.JoinAsync(token, Request(token.Secret, name) with { PeerPort = port, Address = address }, CancellationToken.None);
        MachineIdentity.Keep(Folder(name), answer.Certificate, authority);
        await _fleet.RememberAsync();
        return MachineIdentity.Load(Folder(name))!;
    }

    public MachineRecord Record => Founding.Record(Machine, [], TimeProvider.System);

    /// <summary>A folder of its own.</summary>
    public string Folder(string name) => Directory.CreateDirectory(Path.Combine(_folder.Path, name)).FullName;

    /// <summary>What a machine asks that joins.</summary>
    public JoinRequest Request(byte[] secret, string name, TimeSpan clock = default) => new(
        secret, name, MachineIdentity.Request(Folder(name), name), MachineIdentity.Request(Folder($"{name}-edge"), name), "127.0.0.1", 7400, 7401, 1 << 30, 2, [], DateTimeOffset.UtcNow + clock, "");

    public async ValueTask DisposeAsync()
    {
        _server.Dispose();
        await _fleet.DisposeAsync();
        Identity.Dispose();
        await _shared.DisposeAsync();
        await _own.DisposeAsync();
        _folder.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
