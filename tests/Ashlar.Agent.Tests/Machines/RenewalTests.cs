using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Machines;
using Ashlar.Catalog.Store;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Tests.Machines;

/// <summary>Certificates are signed anew before they run out, while everything runs.</summary>
public sealed class RenewalTests
{
    private static readonly TimeSpan Aged = StackAuthority.MachineLife * 0.7;

    [Fact]
    public async Task ACertificateIsRenewedByTheLeaderWhenAThirdOfItsTimeIsLeft()
    {
        await using var rig = new PeerRig();
        using var second = await MachineAsync(rig, "m2", DateTimeOffset.UtcNow - Aged);
        var key = File.ReadAllText(second.KeyPath);
        await using var renewal = Renewal(second, rig);
        Assert.True(await renewal.LookAsync());
        Assert.True(second.ValidUntil > DateTimeOffset.UtcNow + (StackAuthority.MachineLife * 0.9));
        Assert.False(MachineIdentity.IsDue(StateFolder.Of(rig.Folder("m2")).HopIdentity, DateTimeOffset.UtcNow));
        Assert.Equal(key, File.ReadAllText(second.KeyPath));
        Assert.False(await renewal.LookAsync());

        // By what it shows now it is believed.
        await using var call = await PeerClient.CallAsync(second, rig.Record, PeerFrames.Fetch, CancellationToken.None);
    }

    [Fact]
    public async Task AYoungCertificateStays()
    {
        await using var rig = new PeerRig();
        using var second = await MachineAsync(rig, "m2", DateTimeOffset.UtcNow - (StackAuthority.MachineLife * 0.6));
        await using var renewal = Renewal(second, rig);
        Assert.False(await renewal.LookAsync());
    }

    [Fact]
    public async Task WhoListensShowsTheNewCertificateAndDropsNobody()
    {
        await using var rig = new PeerRig();
        using var second = await MachineAsync(rig, "m2", DateTimeOffset.UtcNow);
        await SignAsync(rig, rig.State, "m1", DateTimeOffset.UtcNow - Aged);
        rig.Identity.Reload();
        await using var before = await second.ConnectAsync("m1", rig.Machine.PeerAddress);
        Assert.True(rig.Identity.IsDue(DateTimeOffset.UtcNow));

        await using var renewal = new Renewal(
            rig.Identity, (request, stop) => rig.Admittance.RenewAsync("m1", request, stop), new AgentOptions { StackFolder = rig.StackFolder, Program = "" }, null, new AgentLog(TextWriter.Null, TimeProvider.System));
        Assert.True(await renewal.LookAsync());
        await using var after = await second.ConnectAsync("m1", rig.Machine.PeerAddress);
        Assert.True(((X509Certificate2)after.RemoteCertificate!).NotAfter > ((X509Certificate2)before.RemoteCertificate!).NotAfter);
        await PeerFrames.WritePurposeAsync(before, PeerFrames.Fetch, CancellationToken.None);
        Assert.Null((await PeerFrames.ReadAsync(before, MachineJson.Default.PeerHello, CancellationToken.None)).Error);
    }

    [Fact]
    public async Task NobodyRenewsForAnother()
    {
        await using var rig = new PeerRig();
        using var second = await MachineAsync(rig, "m2", DateTimeOffset.UtcNow);
        var others = MachineIdentity.Request(rig.Folder("elsewhere"), "m1");
        await MembershipTests.Refused("ASH7515", () => PeerClient.RenewAsync(second, rig.Record, new RenewRequest(others, others), CancellationToken.None));
        await MembershipTests.Refused("ASH7507", () => PeerClient.RenewAsync(second, rig.Record, new RenewRequest("nonsense", "nonsense"), CancellationToken.None));
    }

    [Fact]
    public async Task AnExpiredCertificateIsToldAndATokenLeadsBack()
    {
        await using var rig = new PeerRig();
        using var second = await MachineAsync(rig, "m2", DateTimeOffset.UtcNow - StackAuthority.MachineLife - TimeSpan.FromHours(1));
        var refused = await MembershipTests.Refused("ASH7517", () => MembershipTests.AskAsync(second, rig));
        Assert.Contains("ashlar join", refused.NextStep, StringComparison.Ordinal);

        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        var state = StateFolder.Of(rig.Folder("m2"));
        var request = rig.Request(token.Secret, "m2") with { Request = MachineIdentity.Request(state.Identity, "m2") };
        var (answer, authority) = await PeerClient.JoinAsync(token, request, CancellationToken.None);
        MachineIdentity.Keep(state.Identity, answer.Certificate, authority);
        await using var renewal = Renewal(second, rig);
        Assert.True(await renewal.LookAsync());
        await using var call = await PeerClient.CallAsync(second, rig.Record, PeerFrames.Fetch, CancellationToken.None);
    }

    [Fact]
    public async Task AMachineWhoseOwnCertificateHasRunOutIsNamed()
    {
        await using var rig = new PeerRig();
        using var second = await MachineAsync(rig, "m2", DateTimeOffset.UtcNow);
        await SignAsync(rig, rig.State, "m1", DateTimeOffset.UtcNow - StackAuthority.MachineLife - TimeSpan.FromHours(1));
        rig.Identity.Reload();
        Assert.Contains("m1, with a certificate that is good from", (await MembershipTests.Refused("ASH7503", () => MembershipTests.AskAsync(second, rig))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANewCertificateIsGoodForOneWhoseClockIsHoursBehind()
    {
        await using var rig = new PeerRig();
        using var second = await MachineAsync(rig, "m2", DateTimeOffset.UtcNow);
        Assert.True(second.Certificate.NotBefore.ToUniversalTime() < DateTime.UtcNow - TimeSpan.FromHours(12));
    }

    private static Renewal Renewal(MachineIdentity identity, PeerRig rig) => new(
        identity, (request, stop) => PeerClient.RenewAsync(identity, rig.Record, request, stop),
        new AgentOptions { StackFolder = rig.Folder(identity.Name), Program = "" }, null, new AgentLog(TextWriter.Null, TimeProvider.System));

    /// <summary>A machine of the stack whose certificates were signed at another time.</summary>
    private static async Task<MachineIdentity> MachineAsync(PeerRig rig, string name, DateTimeOffset signed)
    {
        var state = StateFolder.Of(rig.Folder(name));
        await SignAsync(rig, state, name, signed);
        var identity = MachineIdentity.Load(state.Identity)!;
        await rig.Store.PutAsync(
            Keys.Node(name), rig.Record with { Name = name, PeerPort = 7400, Key = StackAuthority.KeyOf(identity.Certificate) }, MachineJson.Default.MachineRecord);
        await rig.Fleet.RememberAsync();
        return identity;
    }

    private static async Task SignAsync(PeerRig rig, StateFolder state, string name, DateTimeOffset at)
    {
        foreach (var (key, folder) in new[] { (Keys.Authority, state.Identity), (Keys.HopAuthority, state.HopIdentity) })
        {
            using var authority = StackAuthority.Import(Encoding.ASCII.GetString((await rig.Store.GetAsync(key))!.Value.Span));
            MachineIdentity.Keep(folder, authority.Sign(MachineIdentity.Request(folder, name), name, [IPAddress.Loopback], at), authority.CertificatePem);
        }
    }
}
