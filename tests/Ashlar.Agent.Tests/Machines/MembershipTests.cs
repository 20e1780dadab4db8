using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using Ashlar.Agent.Api;
using Ashlar.Agent.Machines;
using Ashlar.Catalog;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Tests.Machines;

/// <summary>Who is a machine of the stack, and who is not, or no more.</summary>
public sealed class MembershipTests
{
    [Fact]
    public async Task OfOneWithoutAGoodTokenNothingElseIsLookedAt()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        var bad = rig.Request(RandomNumberGenerator.GetBytes(32), "m2", TimeSpan.FromHours(1)) with { Name = "No Name", Request = "nonsense", Address = "nowhere" };
        await Refused("ASH7502", () => PeerClient.JoinAsync(token, bad, CancellationToken.None));
    }

    [Fact]
    public async Task ANameIsGivenOnceAndToTheSameKeyAgain()
    {
        await using var rig = new PeerRig();
        using var second = await rig.JoinAsync("m2");

        // It still has its key: a token gives it new certificates, and it stays what it was.
        await rig.Store.PutAsync(Keys.Node("m2"), (await RecordAsync(rig, "m2"))! with { Admission = Fleet.Placement.Admission.Closed, Labels = ["web"] }, MachineJson.Default.MachineRecord);
        using var again = await rig.JoinAsync("m2");
        Assert.Equal((Fleet.Placement.Admission.Closed, "web"), ((await RecordAsync(rig, "m2"))!.Admission, (await RecordAsync(rig, "m2"))!.Labels.Single()));

        // It has lost its disk: somebody must say that the old one is gone.
        File.Delete(Path.Combine(rig.Folder("m2"), MachineIdentity.KeyFile));
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        var refused = await Refused("ASH7504", () => PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2"), CancellationToken.None));
        Assert.Contains("machines rm m2", refused.NextStep, StringComparison.Ordinal);
        await rig.Store.DeleteAsync(Keys.Node("m2"));
        await PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2"), CancellationToken.None);
    }

    [Fact]
    public async Task AnAddressIsOneMachines()
    {
        await using var rig = new PeerRig();
        (await rig.JoinAsync("m2")).Dispose();
        await Refused("ASH7523", () => rig.JoinAsync("m3"));
        (await rig.JoinAsync("m3", port: 7500)).Dispose();
    }

    [Fact]
    public async Task ALabelThatIsNoneIsRefused()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        await Refused("ASH7520", () => PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2") with { Labels = ["No Label"] }, CancellationToken.None));
    }

    [Fact]
    public async Task AMachineThatWasRemovedIsRefusedThoughItsCertificateIsGood()
    {
        await using var rig = new PeerRig();
        using var second = await rig.JoinAsync("m2");
        await using (await PeerClient.CallAsync(second, rig.Record, PeerFrames.Fetch, CancellationToken.None))
        {
        }

        await rig.Store.DeleteAsync(Keys.Node("m2"));
        await rig.Fleet.RememberAsync();
        await Refused("ASH7515", () => AskAsync(second, rig));

        // Another machine has its name now: the old one is not believed for that.
        Directory.Move(rig.Folder("m2"), rig.Folder("old") + "/m2");
        (await rig.JoinAsync("m2")).Dispose();
        await Refused("ASH7515", () => AskAsync(second, rig));
    }

    [Fact]
    public async Task AnAgentThatSpeaksAnotherProtocolIsToldSo()
    {
        await using var rig = new PeerRig();
        using var second = await rig.JoinAsync("m2");
        await using var stream = await second.ConnectAsync("m1", rig.Machine.PeerAddress);
        await stream.WriteAsync(new[] { PeerFrames.Api, (byte)(PeerFrames.Protocol + 1) });
        var hello = await PeerFrames.ReadAsync(stream, MachineJson.Default.PeerHello, CancellationToken.None);
        Assert.Equal("ASH7516", hello.Error!.Code);
        Assert.Equal(0, await stream.ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task AnAgentIsToldThatItIsTheOneWithTheOtherProtocol()
    {
        await using var rig = new PeerRig();
        using var second = await rig.JoinAsync("m2");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync();
        var there = rig.Record with { PeerPort = ((IPEndPoint)listener.LocalEndpoint).Port };
        Assert.Contains("speaks protocol 9", (await Refused("ASH7516", () => PeerClient.CallAsync(second, there, PeerFrames.Fetch, CancellationToken.None))).Message, StringComparison.Ordinal);
        await serving;

        async Task ServeAsync()
        {
            await using var stream = new SslStream(new NetworkStream(await listener.AcceptSocketAsync(), ownsSocket: true));
            await stream.AuthenticateAsServerAsync(rig.Identity.ServerOptions());
            await PeerFrames.ReadPurposeAsync(stream, CancellationToken.None);
            await PeerFrames.WriteAsync(stream, new PeerHello(9, new AshlarError("ASH9999", "", "", "")), MachineJson.Default.PeerHello, CancellationToken.None);
            await stream.ShutdownAsync();
        }
    }

    [Fact]
    public async Task OneWithAnotherProtocolDoesNotJoin()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(rig.Machine.PeerAddress);
        await using var stream = new SslStream(new NetworkStream(socket));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "m1", RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null });
        await stream.WriteAsync(new[] { PeerFrames.Join, (byte)(PeerFrames.Protocol + 1) });
        await PeerFrames.ReadAsync(stream, MachineJson.Default.AuthorityAnswer, CancellationToken.None);
        await PeerFrames.WriteAsync(stream, rig.Request(token.Secret, "m2"), MachineJson.Default.JoinRequest, CancellationToken.None);
        Assert.Equal("ASH7516", (await PeerFrames.ReadAsync(stream, MachineJson.Default.JoinAnswer, CancellationToken.None)).Refusal!.Code);
        (await rig.JoinAsync("m2")).Dispose(); // The token is still good for it, and so is another.
    }

    [Fact]
    public async Task WhatAMachineKnowsOfItselfIsItsOwnersAlone()
    {
        await using var rig = new PeerRig();
        File.WriteAllText(rig.State.MachineFile, "older");
        rig.Machine.Save(rig.State.MachineFile);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(rig.State.MachineFile));
    }

    internal static Task AskAsync(MachineIdentity from, PeerRig rig) =>
        PeerClient.ForwardAsync(from, rig.Record, new AgentRequest("status", AgentJson.Nothing), _ => { }, CancellationToken.None);

    internal static async Task<AshlarError> Refused(string code, Func<Task> act)
    {
        var error = (await Assert.ThrowsAsync<AshlarException>(act)).Error;
        Assert.Equal(code, error.Code);
        return error;
    }

    internal static async Task<MachineRecord?> RecordAsync(PeerRig rig, string name) => await rig.Store.GetAsync(Keys.Node(name), MachineJson.Default.MachineRecord);
}
