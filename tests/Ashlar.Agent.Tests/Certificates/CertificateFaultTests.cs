using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ashlar.Agent.Api;
using Ashlar.Agent.Certificates;
using Ashlar.Agent.Hosting;
using Ashlar.Agent.Supervision;
using Ashlar.Catalog.Store;
using Ashlar.Edge.Certificates;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Agent.Tests.Certificates;

/// <summary>What serves while an authority is down, wrong or slow, and what is told of it: the real parts, and a clock that the test sets.</summary>
public sealed class CertificateFaultTests : IAsyncDisposable
{
    private const string Host = "shop.example";
    private readonly TempFolder _folder = new();
    private readonly ScriptedAcme _acme = new();
    private readonly SetTime _time = new();
    private readonly SqliteStore _store;
    private readonly ChallengeBoard _board;

    public CertificateFaultTests()
    {
        _store = SqliteStore.Open(Path.Combine(_folder.Path, "store"));
        _board = new ChallengeBoard(_store, null, _time);

        // Shorter than the life of the certificate that the authority's own server is known by.
        _acme.Life = (_time.Now.AddHours(-1), _time.Now.AddDays(3));
    }

    [Fact]
    public async Task With_its_authority_down_a_host_has_a_local_certificate_and_is_ordered_again_ever_more_seldom()
    {
        _acme.Instead = _ => new AcmeAnswer(503, "");
        foreach (var minutes in (int[])[1, 5, 20, 60, 180, 360, 720, 720])
        {
            var orders = 0;
            _acme.Instead = path => { orders += path == "/dir" ? 1 : 0; return new AcmeAnswer(503, ""); };
            await KeepAsync();
            var trouble = await TroubleAsync();
            Assert.Equal(("ASH3058", _time.Now.AddMinutes(minutes)), (trouble!.Error.Code, trouble.NextTry));
            Assert.True((await RecordAsync()).IsLocal);
            Assert.Equal(1, orders);

            // Not before its time.
            _time.Now = trouble.NextTry.AddSeconds(-1);
            await KeepAsync();
            Assert.Equal(1, orders);
            _time.Now = trouble.NextTry;
        }

        _acme.Instead = _ => null;
        await KeepAsync();
        Assert.Equal((false, null), ((await RecordAsync()).IsLocal, await TroubleAsync()));
    }

    [Theory]
    [InlineData("7200", 2)]
    [InlineData("2147483647", 7 * 24)]
    [InlineData("soon", 0)]
    public async Task What_the_authority_asks_to_be_waited_is_waited_but_no_longer_than_a_week(string retryAfter, int hours)
    {
        _acme.Instead = path => path == "/order" ? new AcmeAnswer(429, """{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"}""", retryAfter) : null;
        await KeepAsync();
        Assert.Equal(_time.Now + (hours == 0 ? TimeSpan.FromMinutes(1) : TimeSpan.FromHours(hours)), (await TroubleAsync())!.NextTry);
    }

    [Fact]
    public async Task With_its_authority_down_at_renewal_the_old_one_serves_to_its_end_and_then_a_local_one()
    {
        await KeepAsync();
        var issued = await RecordAsync();
        Assert.False(issued.IsLocal);

        _acme.Instead = _ => new AcmeAnswer(500, "");
        _time.Now = issued.DueAt;
        await KeepAsync();
        Assert.Equal(issued.Pem, (await RecordAsync()).Pem);
        var (line, note) = await ToldAsync();
        Assert.Equal((CertificateStates.Due, "ASH3058"), (line.State, line.Trouble!.Code));
        Assert.Contains($"certificate of {Host} (good until {issued.Until.UtcDateTime:yyyy-MM-dd HH:mm} UTC)", note, StringComparison.Ordinal);

        // It is looked at again when it ends, not some time later.
        _time.Now = issued.Until.AddMinutes(-10);
        Assert.InRange(await KeepAsync(), _time.Now, issued.Until);
        Assert.Equal(issued.Pem, (await RecordAsync()).Pem);

        _time.Now = issued.Until;
        await KeepAsync();
        Assert.True((await RecordAsync()).IsLocal);
        Assert.Equal(CertificateStates.Waiting, (await ToldAsync()).Line.State);
    }

    [Fact]
    public async Task What_is_issued_for_another_name_is_told_and_the_old_one_stays()
    {
        await KeepAsync();
        var issued = await RecordAsync();
        _acme.Issues = request => _acme.Sign("other.example", request.PublicKey);
        _time.Now = issued.DueAt;
        await KeepAsync();
        Assert.Equal(issued.Pem, (await RecordAsync()).Pem);
        Assert.Equal("ASH3084", (await TroubleAsync())!.Error.Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public async Task A_broken_authority_ca_is_told_and_holds_up_nothing(string content)
    {
        var file = Path.Combine(_folder.Path, "broken.pem");
        await File.WriteAllTextAsync(file, content);
        await KeepAsync(Stack(ca: file));
        Assert.Equal("ASH3083", (await TroubleAsync())!.Error.Code);
        Assert.True((await RecordAsync()).IsLocal);
    }

    [Fact]
    public async Task A_file_that_a_power_cut_has_emptied_is_laid_down_anew()
    {
        await KeepAsync();
        await ToldAsync();
        var file = Path.Combine(EdgeCertificates.FolderIn(_folder.Path), (await RecordAsync()).File);
        await File.WriteAllTextAsync(file, "");
        await ToldAsync();
        Assert.Equal((await RecordAsync()).Pem, await File.ReadAllTextAsync(file));
    }

    [Fact]
    public async Task Another_authority_is_asked_at_once()
    {
        await KeepAsync(Stack(directory: $"https://localhost:{Ports.Free()}/dir"));
        Assert.Equal("ASH3056", (await TroubleAsync())!.Error.Code);
        await KeepAsync();
        Assert.False((await RecordAsync()).IsLocal);
    }

    [Fact]
    public async Task Hosts_are_ordered_one_at_a_time_so_that_what_changes_meanwhile_is_seen()
    {
        var stack = Stack(more: "second.example");
        Assert.True(await KeepAsync(stack) <= _time.Now);
        Assert.Equal(1, _acme.Orders);
        Assert.True((await RecordAsync("second.example")).IsLocal);
        await KeepAsync(stack);
        Assert.False((await RecordAsync("second.example")).IsLocal);
    }

    [Theory]
    [InlineData(-20)]
    [InlineData(20)]
    public async Task A_stack_that_first_came_up_with_a_wrong_clock_gets_another_authority(int years)
    {
        var stack = Stack() with { Domains = [] };
        var right = _time.Now;
        _time.Now = right.AddYears(years);
        await KeepAsync(stack);
        var wrong = await RecordAsync("localhost");

        _time.Now = right;
        await KeepAsync(stack);
        var record = await RecordAsync("localhost");
        Assert.NotEqual(wrong.Pem, record.Pem);
        Assert.InRange(right, record.From, record.Until);
        using var authority = LocalAuthority.Import(Encoding.ASCII.GetString((await _store.GetAsync(Keys.LocalAuthority, default))!.Value.Span));
        using var certificate = X509Certificate2.CreateFromPem(record.Pem);
        Assert.True(authority.CanIssueAt(right) && authority.HasSigned(certificate));
    }

    public async ValueTask DisposeAsync()
    {
        _board.Dispose();
        await _store.DisposeAsync();
        await _acme.DisposeAsync();
        _folder.Dispose();
    }

    private StackDefinition Stack(string? directory = null, string? ca = null, params string[] more) => new()
    {
        Name = "rig",
        Directory = _folder.Path,
        Domains = [Host, .. more],
        Edge = new EdgeDefinition
        {
            Https = new ListenAddress("127.0.0.1", 8443),
            Tls = new TlsDefinition { Authority = directory ?? _acme.Directory, AuthorityCa = ca ?? _acme.TrustedPath },
        },
    };

    // As the agent after a restart: nothing but the store is known.
    private async Task<DateTimeOffset> KeepAsync(StackDefinition? stack = null)
    {
        var log = new AgentLog(TextWriter.Null, _time);
        using var keeper = new CertificateKeeper(null!, null!, _store, new AcmeOrders(_store, _board, log, _time), () => true, log, _time);
        return await keeper.KeepAsync(stack ?? Stack(), default);
    }

    private async Task<CertificateRecord> RecordAsync(string host = Host) =>
        (await _store.GetAsync(Keys.CertificateOf(host), CertificateJson.Default.CertificateRecord, default))!;

    private async Task<CertificateTrouble?> TroubleAsync() =>
        await _store.GetAsync(Keys.CertificateTrouble(Host), CertificateJson.Default.CertificateTrouble, default);

    // What the machine's shelf says of them once it has laid them down.
    private async Task<(CertificateLine Line, string Note)> ToldAsync()
    {
        var log = new AgentLog(TextWriter.Null, _time);
        var loop = new AgentLoop(log);
        var shelf = new CertificateShelf(loop, _store, new StateFolder(_folder.Path), null, log, _time);
        var read = new TaskCompletionSource();
        var turning = loop.RunAsync(() =>
        {
            read.TrySetResult();
            return ValueTask.CompletedTask;
        });
        using var enough = new CancellationTokenSource();
        var following = shelf.FollowAsync(enough.Token);
        await read.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
        loop.End();
        await turning;
        return (shelf.Report(Stack()).Certificates.Single(line => line.Name == Host), string.Join('\n', shelf.Notes(Stack())));
    }

    private sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
