using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Ashlar.Catalog.Store;
using Ashlar.Errors;
using Ashlar.Fleet.Identity;
using Ashlar.Testing;

namespace Ashlar.Fleet.Tests;

public sealed class IdentityTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StackAuthority _authority = StackAuthority.Create("shop", DateTimeOffset.UtcNow);

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task TwoMachinesOfOneStackKnowEachOther()
    {
        using var a = Machine("a");
        using var b = Machine("b");
        Assert.Equal("a", await CallAsync(from: a, to: b, meaning: "b"));
    }

    [Fact]
    public async Task AnotherMachineAtTheAddressIsToldByName()
    {
        using var a = Machine("a");
        using var b = Machine("b");
        var refused = await Assert.ThrowsAsync<AshlarException>(() => CallAsync(from: a, to: b, meaning: "c"));
        Assert.Equal("ASH7503", refused.Error.Code);
        Assert.Contains("but machine b answers", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMachineOfAnotherStackIsRefusedOnBothSides()
    {
        using var other = StackAuthority.Create("shop", DateTimeOffset.UtcNow);
        using var a = Machine("a");
        using var foreign = Machine("b", other);
        Assert.Equal("ASH7503", (await Assert.ThrowsAsync<AshlarException>(() => CallAsync(from: a, to: foreign, meaning: "b"))).Error.Code);
        Assert.Equal("ASH7503", (await Assert.ThrowsAsync<AshlarException>(() => CallAsync(from: foreign, to: a, meaning: "a"))).Error.Code);
    }

    [Fact]
    public void AnExpiredCertificateIsDueLongBefore()
    {
        using var young = Machine("a");
        using var old = Machine("b", now: DateTimeOffset.UtcNow - TimeSpan.FromDays(70));
        Assert.False(young.IsDue(DateTimeOffset.UtcNow));
        Assert.True(old.IsDue(DateTimeOffset.UtcNow));
    }

    [Fact]
    public void TheKeyStaysWhereItIsAndIsItsOwnersAlone()
    {
        using var a = Machine("a");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(a.KeyPath));
        Assert.DoesNotContain("PRIVATE", MachineIdentity.Request(a.Folder, "a"), StringComparison.Ordinal);
        var key = File.ReadAllText(a.KeyPath);
        MachineIdentity.Request(a.Folder, "a");
        Assert.Equal(key, File.ReadAllText(a.KeyPath));
    }

    [Fact]
    public void OnlyTheKeyOfARequestIsTaken()
    {
        var request = MachineIdentity.Request(Path.Combine(_folder.Path, "x"), "x");
        using var signed = X509Certificate2.CreateFromPem(_authority.Sign(request, "y", [IPAddress.Loopback], DateTimeOffset.UtcNow));
        Assert.Equal("CN=y", signed.Subject);
        Assert.True(signed.MatchesHostname("y"));
        Assert.False(signed.MatchesHostname("x"));
        Assert.Equal("ASH7507", Assert.Throws<AshlarException>(() => _authority.Sign("nonsense", "y", [], DateTimeOffset.UtcNow)).Error.Code);
    }

    [Fact]
    public void TheAuthorityIsReadBackWithItsKey()
    {
        using var again = StackAuthority.Import(_authority.ExportPem());
        Assert.Equal(_authority.Fingerprint, again.Fingerprint);
        using var machine = Machine("a", again);
        Assert.Equal("a", machine.Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("A")]
    [InlineData("1a")]
    [InlineData("a-")]
    [InlineData("a.b")]
    [InlineData("a\n")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void ABadNameIsRefused(string name) => Assert.Equal("ASH7505", Assert.Throws<AshlarException>(() => MachineName.Check(name)).Error.Code);

    [Fact]
    public void ATokenIsReadAsItWasPrinted()
    {
        var token = JoinToken.Create(IPEndPoint.Parse("[fd00::1]:7400"), _authority.Fingerprint);
        var read = JoinToken.Parse($" {token.Print()}\n");
        Assert.Equal((token.Address, token.SecretHash), (read.Address, read.SecretHash));
        Assert.Equal(_authority.Fingerprint, read.Authority);
        Assert.DoesNotContain(token.Print(), token.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AnyChangeToATokenIsNoticed()
    {
        var text = JoinToken.Create(IPEndPoint.Parse("10.0.0.1:7400"), _authority.Fingerprint).Print();
        var random = new Random(7);
        for (var i = 0; i < 2000; i++)
        {
            var at = random.Next(text.Length - 1); // The last sign has bits that say nothing.
            var changed = random.Next(3) switch
            {
                0 => text.Remove(at, 1),
                1 => text.Insert(at, ((char)random.Next(33, 127)).ToString()),
                _ => text.Remove(at, 1).Insert(at, text[at] == 'x' ? "y" : "x"),
            };
            Assert.Equal("ASH7501", Assert.Throws<AshlarException>(() => JoinToken.Parse(changed)).Error.Code);
        }
    }

    [Fact]
    public async Task ATokenIsGoodForOneMachineOnce()
    {
        await using var store = SqliteStore.Open(Path.Combine(_folder.Path, "state.db"), TimeProvider.System);
        var tokens = new JoinTokens(store, TimeProvider.System);
        var token = JoinToken.Create(IPEndPoint.Parse("10.0.0.1:7400"), _authority.Fingerprint);
        await Refused(tokens, token);
        await tokens.GiveAsync(token);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 5).Select(async i =>
        {
            try
            {
                await tokens.SpendAsync(token.SecretHash, [], [new StoreWrite("joined", new[] { (byte)i })]);
                return 1;
            }
            catch (AshlarException e) when (e.Error.Code == "ASH7502")
            {
                return 0;
            }
        }));
        Assert.Equal(1, outcomes.Sum());
        await Refused(tokens, token);

        static async Task Refused(JoinTokens tokens, JoinToken token) =>
            Assert.Equal("ASH7502", (await Assert.ThrowsAsync<AshlarException>(() => tokens.SpendAsync(token.SecretHash, [], []).AsTask())).Error.Code);
    }

    private MachineIdentity Machine(string name, StackAuthority? authority = null, DateTimeOffset? now = null)
    {
        var folder = Path.Combine(_folder.Path, Guid.NewGuid().ToString("n"));
        authority ??= _authority;
        var signed = authority.Sign(MachineIdentity.Request(folder, name), name, [IPAddress.Loopback], now ?? DateTimeOffset.UtcNow);
        MachineIdentity.Keep(folder, signed, authority.CertificatePem);
        return MachineIdentity.Load(folder)!;
    }

    /// <summary>One calls the other, which answers with the caller's name.</summary>
    private static async Task<string> CallAsync(MachineIdentity from, MachineIdentity to, string meaning)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = Task.Run(async () =>
        {
            await using var stream = new SslStream(new NetworkStream(await listener.AcceptSocketAsync(), ownsSocket: true));
            await stream.AuthenticateAsServerAsync(to.ServerOptions());
            var caller = ((X509Certificate2)stream.RemoteCertificate!).GetNameInfo(X509NameType.SimpleName, forIssuer: false);
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(caller));
        });
        try
        {
            await using var stream = await from.ConnectAsync(meaning, (IPEndPoint)listener.LocalEndpoint);
            using var reader = new StreamReader(stream);
            return await reader.ReadToEndAsync();
        }
        finally
        {
            await Record.ExceptionAsync(() => answering);
        }
    }
}
