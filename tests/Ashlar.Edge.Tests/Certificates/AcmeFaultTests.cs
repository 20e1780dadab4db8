using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ashlar.Edge.Certificates.Acme;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.Certificates;

/// <summary>An authority that is down, in trouble or wrong: an error that says so, and nothing of what it gave is used.</summary>
public sealed class AcmeFaultTests : IAsyncDisposable
{
    private const string Host = "shop.example";
    private readonly ScriptedAcme _acme = new();

    [Fact]
    public async Task What_was_asked_for_is_taken_with_its_chain()
    {
        var pem = await IssueAsync();
        using var certificate = X509Certificate2.CreateFromPem(pem, pem);
        Assert.True(certificate.MatchesHostname(Host));
        Assert.Equal(2, Certificates(pem));
    }

    [Theory]
    [InlineData("/dir", "<html>maintenance</html>", "it is no JSON")]
    [InlineData("/dir", "[]", "it is no object")]
    [InlineData("/dir", "{}", "newNonce is missing")]
    [InlineData("/order", "{\"status\":\"ready\"}", "authorizations is no list")]
    [InlineData("/certificate", "certainly", "the certificate cannot be read")]
    [InlineData("/certificate", "", "the certificate cannot be read")]
    public async Task Garbage_is_told(string path, string body, string reason) => await FailsAsync("ASH3059", reason, path, new AcmeAnswer(200, body));

    [Theory]
    [InlineData("/dir")]
    [InlineData("/account")]
    [InlineData("/order")]
    [InlineData("/finalize")]
    public async Task An_authority_in_trouble_is_told_with_its_status_and_how_long_to_wait(string path)
    {
        var failure = await FailsAsync("ASH3058", "it answered 503", path, new AcmeAnswer(503, "<html>", "120"));
        Assert.Equal(TimeSpan.FromMinutes(2), failure.RetryAfter);
    }

    [Fact]
    public async Task A_limit_is_told_in_its_words_and_waited_for()
    {
        var until = DateTimeOffset.UtcNow.AddHours(5);
        var failure = await FailsAsync("ASH3058", "too many certificates", "/order",
            new AcmeAnswer(429, """{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many certificates"}""", until.ToString("R")));
        Assert.Equal("rateLimited", failure.Type);
        Assert.InRange(failure.RetryAfter!.Value, TimeSpan.FromHours(4.5), TimeSpan.FromHours(5));
    }

    [Fact]
    public async Task An_order_that_never_gets_ready_is_given_up()
    {
        var isAsked = false;
        _acme.Instead = path => (isAsked |= path == "/finalize") && path == "/orders/1" ? new AcmeAnswer(200, """{"status":"processing","authorizations":[],"finalize":"https://localhost/f"}""") : null;
        await FailsAsync("ASH3056", "has not come to an end");
    }

    [Fact]
    public async Task An_order_that_fails_is_told_with_the_authoritys_reason() => await FailsAsync("ASH3058", "CAA forbids", "/orders/1",
        new AcmeAnswer(200, """{"status":"invalid","authorizations":[],"finalize":"https://localhost/f","error":{"type":"urn:ietf:params:acme:error:caa","detail":"CAA forbids"}}"""));

    [Fact]
    public async Task A_certificate_for_another_name_is_not_used()
    {
        _acme.Issues = request => _acme.Sign("other.example", request.PublicKey);
        await FailsAsync("ASH3084", "it is for other.example");
    }

    [Fact]
    public async Task A_certificate_of_another_key_is_not_used()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _acme.Issues = _ => _acme.Sign(Host, new PublicKey(other));
        await FailsAsync("ASH3084", "its key is not the one");
    }

    [Theory]
    [InlineData(-90, -1)]
    [InlineData(2, 90)]
    public async Task A_certificate_of_another_time_is_not_used(int from, int until)
    {
        _acme.Life = (DateTimeOffset.UtcNow.AddDays(from), DateTimeOffset.UtcNow.AddDays(until));
        await FailsAsync("ASH3084", $"to {_acme.Life.Until.UtcDateTime:yyyy-MM-dd HH:mm} UTC");
    }

    [Fact]
    public async Task A_chain_that_is_cut_off_is_not_used()
    {
        _acme.Issues = request => _acme.Sign(Host, request.PublicKey).TrimEnd()[..^40];
        await FailsAsync("ASH3084", "its chain is cut off");
    }

    [Fact]
    public async Task One_that_is_not_there_is_told()
    {
        var known = Path.Combine(_folder.Path, "known.pem");
        File.Copy(_acme.TrustedPath, known);
        await _acme.DisposeAsync();
        await FailsAsync("ASH3056", "Connection refused", trusted: known);
    }

    [Fact]
    public async Task One_whose_own_certificate_is_not_trusted_is_told()
    {
        using var other = new TestAuthority();
        var file = Path.Combine(_folder.Path, "other.pem");
        await File.WriteAllTextAsync(file, other.Pem);
        await FailsAsync("ASH3056", "certificate", trusted: file);
    }

    public async ValueTask DisposeAsync()
    {
        await _acme.DisposeAsync();
        _folder.Dispose();
    }

    private readonly TempFolder _folder = new();

    private static int Certificates(string pem)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pem);
        return all.Count;
    }

    private async Task<string> IssueAsync(string? trusted = null)
    {
        using var key = AcmeAccountKey.Create();
        using var client = new AcmeClient(_acme.Directory, key, null, AuthorityCa.Read(trusted ?? _acme.TrustedPath), TimeProvider.System) { StepPatience = TimeSpan.Zero };
        return await client.IssueAsync(Host, null, (_, _) => Task.CompletedTask, CancellationToken.None);
    }

    private Task<AcmeException> FailsAsync(string code, string reason, string path, AcmeAnswer answer)
    {
        _acme.Instead = asked => asked == path ? answer : null;
        return FailsAsync(code, reason);
    }

    private async Task<AcmeException> FailsAsync(string code, string reason, string? trusted = null)
    {
        var failure = await Assert.ThrowsAsync<AcmeException>(() => IssueAsync(trusted));
        Assert.Equal(code, failure.Error.Code);
        Assert.Contains(reason, failure.Error.Message, StringComparison.Ordinal);
        return failure;
    }
}
