using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using Ashlar.Agent.Machines;
using Ashlar.Errors;
using Ashlar.Fleet.Identity;

namespace Ashlar.Agent.Tests.Machines;

public sealed class PeerTests
{
    [Fact]
    public async Task AMachineJoinsByATokenOnce()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        var (answer, authority) = await PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2"), CancellationToken.None);
        Assert.Equal("shop", answer.Stack);
        MachineIdentity.Keep(rig.Folder("m2"), answer.Certificate, authority);
        using var joined = MachineIdentity.Load(rig.Folder("m2"))!;
        Assert.Equal("m2", joined.Name);

        // What its edge has is worth nothing to agents: it runs as the user of the apps.
        MachineIdentity.Keep(rig.Folder("m2-edge"), answer.HopCertificate, authority);
        using var edge = MachineIdentity.Load(rig.Folder("m2-edge"))!;
        await Refused("ASH7508", () => PeerClient.ForwardAsync(edge, rig.Record, new Catalog.AgentRequest("status", Api.AgentJson.Nothing), _ => { }, CancellationToken.None));
        await Refused("ASH7502", () => PeerClient.JoinAsync(token, rig.Request(token.Secret, "m3"), CancellationToken.None));
    }

    [Fact]
    public async Task AStackWhoseStateIsSharedIsNotReadFromAFileOfThisMachine()
    {
        await using var rig = new PeerRig();
        rig.Machine.Save(rig.State.MachineFile);
        Assert.Equal("ASH4077", Assert.Throws<AshlarException>(() => Hosting.StoppedStack.TryOpen(Path.GetDirectoryName(rig.State.Path)!)).Error.Code);
    }

    [Fact]
    public async Task WhoKnowsNoTokenDoesNotJoin()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        await Refused("ASH7502", () => PeerClient.JoinAsync(token, rig.Request(RandomNumberGenerator.GetBytes(32), "m2"), CancellationToken.None));
    }

    [Fact]
    public async Task TheSecretIsNotToldToAnotherStack()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Create(rig.Machine.PeerAddress, RandomNumberGenerator.GetBytes(32));
        await Refused("ASH7503", () => PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2"), CancellationToken.None));
    }

    [Fact]
    public async Task AClockThatIsOffIsRefusedAndTheTokenStaysGood()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        await Refused("ASH7506", () => PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2", TimeSpan.FromHours(1)), CancellationToken.None));
        await Refused("ASH7505", () => PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2") with { Name = "M 2" }, CancellationToken.None));
        await PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2"), CancellationToken.None);
    }

    [Fact]
    public async Task ARequestThatIsNoneIsAnErrorAndNotTheEnd()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        await Refused("ASH7507", () => PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2") with { Request = "nonsense" }, CancellationToken.None));
        await PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2"), CancellationToken.None);
    }

    [Fact]
    public async Task WhatARequestLacksOrOverdoesIsRefused()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        var good = rig.Request(token.Secret, "m2");
        foreach (var bad in new[] { "{}", "[]", "{\"name\":null}", "nonsense", new string('[', 5000), "{\"secret\":7}" })
        {
            await using var stream = await StrangerAsync(rig);
            await PeerFrames.WritePurposeAsync(stream, PeerFrames.Join, CancellationToken.None);
            await PeerFrames.ReadAsync(stream, MachineJson.Default.AuthorityAnswer, CancellationToken.None);
            byte[] frame = [0, 0, (byte)(bad.Length >> 8), (byte)bad.Length, .. System.Text.Encoding.ASCII.GetBytes(bad)];
            await stream.WriteAsync(frame);
            Assert.Equal(0, await stream.ReadAsync(new byte[10]).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
        }

        foreach (var bad in new[] { good with { Address = "nowhere" }, good with { HopPort = 70_000 }, good with { PeerPort = -1 } })
        {
            await Refused("ASH7511", () => PeerClient.JoinAsync(token, bad, CancellationToken.None));
        }

        await PeerClient.JoinAsync(token, good, CancellationToken.None);
    }

    [Theory]
    [InlineData(PeerFrames.Api)]
    [InlineData(PeerFrames.Fetch)]
    public async Task WithoutACertificateNothingElseIsAnswered(byte purpose)
    {
        await using var rig = new PeerRig();
        await using var stream = await StrangerAsync(rig);
        await PeerFrames.WritePurposeAsync(stream, purpose, CancellationToken.None);
        Assert.Equal(0, await stream.ReadAsync(new byte[10]).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task GarbageEndsOnlyItsOwnConnection()
    {
        await using var rig = new PeerRig();
        var random = new Random(11);
        for (var i = 0; i < 100; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(rig.Machine.PeerAddress);
            var noise = new byte[random.Next(1, 600)];
            random.NextBytes(noise);
            await socket.SendAsync(noise);
        }

        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        await PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2"), CancellationToken.None);
    }

    [Fact]
    public async Task WhoOnlyHoldsConnectionsOpenKeepsNobodyOfTheStackOut()
    {
        await using var rig = new PeerRig();
        var token = JoinToken.Parse(await rig.Admittance.GiveTokenAsync());
        var held = new List<Socket>();
        try
        {
            for (var i = 0; i < 100; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Parse("127.0.0.2"), 0));
                await socket.ConnectAsync(rig.Machine.PeerAddress);
                held.Add(socket);
            }

            await PeerClient.JoinAsync(token, rig.Request(token.Secret, "m2"), CancellationToken.None);
        }
        finally
        {
            held.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task AReleaseArrivesAsItIs()
    {
        await using var rig = new PeerRig();
        var release = Directory.CreateDirectory(Path.Combine(rig.State.Releases, "v1")).FullName;
        Directory.CreateDirectory(Path.Combine(release, "bin/empty"));
        File.WriteAllBytes(Path.Combine(release, "bin/large"), RandomNumberGenerator.GetBytes(3_000_000));
        File.WriteAllText(Path.Combine(release, "run"), "#!/bin/sh\n");
        File.SetUnixFileMode(Path.Combine(release, "run"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        File.CreateSymbolicLink(Path.Combine(release, "link"), "run");
        var there = rig.Folder("there");
        await ReleaseTransfer.FetchAsync(rig.Identity, rig.Record, there, "v1", null, CancellationToken.None);
        Assert.Equal(File.ReadAllBytes(Path.Combine(release, "bin/large")), File.ReadAllBytes(Path.Combine(there, "v1/bin/large")));
        Assert.True(Directory.Exists(Path.Combine(there, "v1/bin/empty")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(there, "v1/run")));
        Assert.Equal("run", new FileInfo(Path.Combine(there, "v1/link")).LinkTarget);
        Assert.Equal(["v1"], Directory.GetFileSystemEntries(there).Select(Path.GetFileName));
    }

    [Fact]
    public async Task AnEmptyReleaseArrivesToo()
    {
        await using var rig = new PeerRig();
        Directory.CreateDirectory(Path.Combine(rig.State.Releases, "v1"));
        var there = rig.Folder("there");
        await ReleaseTransfer.FetchAsync(rig.Identity, rig.Record, there, "v1", null, CancellationToken.None);
        Assert.Equal(["v1"], Directory.GetFileSystemEntries(there).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("v2")]
    [InlineData("../identity")]
    [InlineData(".coming-v1")]
    [InlineData("")]
    public async Task OnlyReleasesAreHandedOut(string folder)
    {
        await using var rig = new PeerRig();
        Directory.CreateDirectory(Path.Combine(rig.State.Releases, ".coming-v1"));
        await Refused("ASH4021", () => ReleaseTransfer.FetchAsync(rig.Identity, rig.Record, rig.Folder("there"), folder, null, CancellationToken.None));
    }

    [Fact]
    public async Task AnAppComesFromWhereItWasOrderedAndNothingElseDoes()
    {
        await using var rig = new PeerRig();
        var app = rig.Folder("app");
        File.WriteAllText(Path.Combine(app, "ashlar.yaml"), "name: shop\nservices: {web: {run: ./run}}\n");
        File.WriteAllText(Path.Combine(app, ".env"), "PASSWORD=secret\n");
        File.WriteAllText(Path.Combine(app, "run"), "#!/bin/sh\n");
        var to = Path.Combine(rig.Folder("there"), "sources/m1");
        Task<Stack.StackDefinition> Fetch(string order) => SourceOffers.FetchAsync(rig.Identity, rig.Record, order, to, CancellationToken.None);
        await Refused("ASH7524", () => Fetch("1"));
        rig.Sources.Offer("1", app);
        Assert.Equal("secret", (await Fetch("1")).DotEnv["PASSWORD"]);
        Assert.Equal(["run"], Directory.GetFileSystemEntries(to).Select(Path.GetFileName));

        // The next replaces the whole of it.
        File.Move(Path.Combine(app, "run"), Path.Combine(app, "run2"));
        await Fetch("1");
        Assert.Equal(["run2"], Directory.GetFileSystemEntries(to).Select(Path.GetFileName));
        await Refused("ASH7524", () => Fetch(app));
        File.WriteAllText(Path.Combine(app, "ashlar.yaml"), "name: [\n");
        var mistake = await Assert.ThrowsAsync<AshlarException>(() => Fetch("1"));
        Assert.StartsWith("On machine m1: ", mistake.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMachineThatIsNotThereIsNamed()
    {
        await using var rig = new PeerRig();
        var gone = rig.Record with { PeerPort = 1 };
        await Refused("ASH7508", () => PeerClient.ForwardAsync(rig.Identity, gone, new Catalog.AgentRequest("status", Api.AgentJson.Nothing), _ => { }, CancellationToken.None));
    }

    [Fact]
    public async Task AnOrderThatWasGivenUpBeforeTheMachineAnsweredWasNeverAsked()
    {
        await using var rig = new PeerRig();
        using var silent = new TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        using var over = new CancellationTokenSource();
        var asked = Refused("ASH7508", () => PeerClient.ForwardAsync(
            rig.Identity, rig.Record with { PeerPort = ((System.Net.IPEndPoint)silent.LocalEndpoint).Port }, new Catalog.AgentRequest("status", Api.AgentJson.Nothing), _ => { }, over.Token));
        using var taken = await silent.AcceptSocketAsync();
        await over.CancelAsync();
        await asked;
    }

    private static async Task<SslStream> StrangerAsync(PeerRig rig)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(rig.Machine.PeerAddress);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "m1", RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null });
        return stream;
    }

    private static async Task Refused(string code, Func<Task> act) => Assert.Equal(code, (await Assert.ThrowsAsync<AshlarException>(act)).Error.Code);
}
