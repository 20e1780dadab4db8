using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Ashlar.Edge.Certificates.Acme;

/// <summary>
/// Gets a certificate from an ACME authority by HTTP-01 (RFC 8555): account, order, authorizations, finalize, download; every wait is
/// bounded, and nothing is asked again that the authority has refused.
/// </summary>
public sealed class AcmeClient : IDisposable
{
    private const int MostBytes = 1 << 20;

    // An authority that is tested with faults refuses many nonces; one in earnest hardly any.
    private const int MostNonces = 10;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _shortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http;
    private readonly string _directory;
    private readonly AcmeAccountKey _key;
    private readonly TimeProvider _time;
    private AcmeDirectory? _addresses;
    private string? _nonce;

    /// <param name="directory">Address of the authority's directory.</param>
    /// <param name="key">Key of the account.</param>
    /// <param name="account">Address of the account; null: not known, it is made or found by the key.</param>
    /// <param name="trusted">Certificates by which the authority's server is known; null: the system's.</param>
    /// <param name="time">The clock.</param>
    public AcmeClient(string directory, AcmeAccountKey key, string? account, X509Certificate2Collection? trusted, TimeProvider time)
    {
        (_directory, _key, Account, _time) = (directory, key, account, time);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(10) };
        if (trusted is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(trusted);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        _http = new HttpClient(handler) { Timeout = _patience, MaxResponseContentBufferSize = MostBytes };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("ashlar");
    }

    /// <summary>Address of the account, once it is known.</summary>
    public string? Account { get; private set; }

    /// <summary>Longest time that an authority may take for one step (validation, issuance).</summary>
    public TimeSpan StepPatience { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Gets a certificate for one host.</summary>
    /// <param name="host">The host.</param>
    /// <param name="email">Address that the authority may write to; null: none.</param>
    /// <param name="answer">Has every edge answer a token: gets token and answer, and returns when they do. A null answer takes it back.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>Key, certificate and chain as PEM: a secret.</returns>
    /// <exception cref="AcmeException">ASH3056 to ASH3059, ASH3084.</exception>
    public async Task<string> IssueAsync(string host, string? email, Func<string, string?, Task> answer, CancellationToken cancellation)
    {
        try
        {
            await IntroduceAsync(email, cancellation).ConfigureAwait(false);
            var created = await SendAsync(_addresses!.NewOrder, $$"""{"identifiers":[{"type":"dns","value":"{{JsonEncodedText.Encode(host)}}"}]}""", cancellation).ConfigureAwait(false);
            var address = created.Location ?? throw new FormatException("an order without an address");
            var order = AcmeJson.Order(created.Body);
            foreach (var authorization in order.Authorizations)
            {
                await AuthorizeAsync(host, authorization, answer, cancellation).ConfigureAwait(false);
            }

            order = await OrderAsync(host, address, static o => o.Status is not "pending", cancellation).ConfigureAwait(false);
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            if (order.Status == "ready")
            {
                await SendAsync(order.Finalize, $$"""{"csr":"{{System.Buffers.Text.Base64Url.EncodeToString(Request(host, key))}}"}""", cancellation).ConfigureAwait(false);
                order = await OrderAsync(host, address, static o => o.Status is not ("processing" or "ready"), cancellation).ConfigureAwait(false);
            }

            if (order is not { Status: "valid", Certificate: { } certificate })
            {
                throw new AcmeException(AcmeErrors.Refused(Authority, host, order.Problem?.Detail ?? $"the order is {order.Status}"), null, order.Problem?.Type ?? "");
            }

            var chain = Encoding.ASCII.GetString((await SendAsync(certificate, "", cancellation).ConfigureAwait(false)).Body.Span);
            return $"{key.ExportPkcs8PrivateKeyPem()}\n{Checked(chain, host, key)}";
        }
        catch (Exception e) when (IsUnreachable(e, cancellation))
        {
            throw new AcmeException(AcmeErrors.Unreachable(Authority, host, Words(e)), null);
        }
        catch (FormatException e)
        {
            throw new AcmeException(AcmeErrors.Garbled(Authority, host, e.Message), null);
        }
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private string Authority => new Uri(_directory).Authority;

    private async Task IntroduceAsync(string? email, CancellationToken cancellation)
    {
        if (_addresses is null)
        {
            using var answer = await _http.GetAsync(new Uri(_directory), cancellation).ConfigureAwait(false);
            var body = await answer.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            Require(answer, body);
            _addresses = AcmeJson.Directory(body);
        }

        if (Account is null)
        {
            var contact = email is null ? "" : $$""","contact":["mailto:{{JsonEncodedText.Encode(email)}}"]""";
            var made = await SendAsync(_addresses.NewAccount, $$"""{"termsOfServiceAgreed":true{{contact}}}""", cancellation).ConfigureAwait(false);
            Account = made.Location ?? throw new FormatException("an account without an address");
        }
    }

    private async Task AuthorizeAsync(string host, string address, Func<string, string?, Task> answer, CancellationToken cancellation)
    {
        var authorization = AcmeJson.Authorization((await SendAsync(address, "", cancellation).ConfigureAwait(false)).Body);
        if (authorization.Status == "valid")
        {
            return;
        }

        if (authorization.Challenge is not { } challenge)
        {
            throw new AcmeException(AcmeErrors.Refused(Authority, host, "it offers no validation by HTTP"), null);
        }

        await answer(challenge.Token, $"{challenge.Token}.{_key.Thumbprint}").ConfigureAwait(false);
        try
        {
            await SendAsync(challenge.Url, "{}", cancellation).ConfigureAwait(false);
            var until = _time.GetUtcNow() + StepPatience;
            while (true)
            {
                var reply = await SendAsync(address, "", cancellation).ConfigureAwait(false);
                authorization = AcmeJson.Authorization(reply.Body);
                if (authorization.Status == "valid")
                {
                    return;
                }

                if (authorization.Status != "pending")
                {
                    var problem = authorization.Challenge?.Problem;
                    throw new AcmeException(AcmeErrors.NotValidated(Authority, host, problem?.Detail ?? $"the authorization is {authorization.Status}"), null, problem?.Type ?? "");
                }

                await PauseAsync(reply.RetryAfter, until, host, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            await answer(challenge.Token, null).ConfigureAwait(false);
        }
    }

    private async Task<AcmeOrder> OrderAsync(string host, string address, Func<AcmeOrder, bool> isOver, CancellationToken cancellation)
    {
        var until = _time.GetUtcNow() + StepPatience;
        while (true)
        {
            var reply = await SendAsync(address, "", cancellation).ConfigureAwait(false);
            var order = AcmeJson.Order(reply.Body);
            if (isOver(order))
            {
                return order;
            }

            await PauseAsync(reply.RetryAfter, until, host, cancellation).ConfigureAwait(false);
        }
    }

    private async Task PauseAsync(TimeSpan? asked, DateTimeOffset until, string host, CancellationToken cancellation)
    {
        var pause = asked is not { } wish || wish < _shortestPause ? _shortestPause : wish > _longestPause ? _longestPause : wish;
        if (_time.GetUtcNow() + pause > until)
        {
            throw new AcmeException(AcmeErrors.Unreachable(Authority, host, $"it has not come to an end within {StepPatience.TotalSeconds:0} s"), asked);
        }

        await Task.Delay(pause, _time, cancellation).ConfigureAwait(false);
    }

    /// <summary>Sends a signed request; what is refused for its nonce is sent again with the one that came with the refusal (section 6.5).</summary>
    private async Task<Reply> SendAsync(string url, string payload, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var nonce = _nonce ?? await NonceAsync(cancellation).ConfigureAwait(false);
            _nonce = null;
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(_key.Sign(url, nonce, Account, payload)) };
            request.Content.Headers.ContentType = new("application/jose+json");
            using var answer = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
            _nonce = NonceOf(answer);
            var body = await answer.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            if (answer.StatusCode == HttpStatusCode.BadRequest && attempt < MostNonces && AcmeJson.Problem(body, 400).Type == "badNonce")
            {
                continue;
            }

            Require(answer, body);
            return new Reply(body, answer.Headers.Location?.ToString(), RetryAfterOf(answer));
        }
    }

    private async Task<string> NonceAsync(CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, _addresses!.NewNonce);
        using var answer = await _http.SendAsync(request, cancellation).ConfigureAwait(false);
        return NonceOf(answer) ?? throw new FormatException("no nonce");
    }

    private static string? NonceOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("Replay-Nonce", out var values) && values.First() is { Length: > 0 and <= 256 } nonce
        && nonce.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? nonce : null;

    private void Require(HttpResponseMessage answer, byte[] body)
    {
        if (!answer.IsSuccessStatusCode)
        {
            var problem = AcmeJson.Problem(body, (int)answer.StatusCode);
            throw new AcmeException(AcmeErrors.Refused(Authority, "", problem.Detail.Length > 0 ? problem.Detail : $"it answered {(int)answer.StatusCode}"), RetryAfterOf(answer), problem.Type);
        }
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage answer) => answer.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - _time.GetUtcNow(),
        _ => null,
    };

    private static byte[] Request(string host, ECDsa key)
    {
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(LocalAuthority.Alternatives([host]));
        return request.CreateSigningRequest();
    }

    // What came is used only if it is what was asked for: our key, our host, of this time, and whole.
    private string Checked(string chain, string host, ECDsa key)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(chain);
            using var shown = certificate.GetECDsaPublicKey();
            var now = _time.GetUtcNow().UtcDateTime;
            var all = new X509Certificate2Collection();
            all.ImportFromPem(chain);
            var reason = shown is null || !shown.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()) ? "its key is not the one that was asked for"
                : !certificate.MatchesHostname(host) ? $"it is for {NamesOf(certificate)}"
                : now < certificate.NotBefore.ToUniversalTime() || certificate.NotAfter.ToUniversalTime() <= now ? $"it {AcmeErrors.Life(certificate)}, and it is {now:yyyy-MM-dd HH:mm} UTC"
                : all.Count < chain.AsSpan().Count("-----BEGIN ") ? "its chain is cut off or damaged"
                : null;
            return reason is null ? string.Concat(all.Select(static c => c.ExportCertificatePem() + "\n")) : throw new AcmeException(AcmeErrors.Unusable(Authority, host, reason), null);
        }
        catch (CryptographicException e)
        {
            throw new FormatException("the certificate cannot be read", e);
        }
    }

    private static string NamesOf(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(static names => names.EnumerateDnsNames()).Take(5).ToArray() is { Length: > 0 } names
            ? AcmeJson.Line(string.Join(", ", names)) : "no name";

    private static bool IsUnreachable(Exception e, CancellationToken cancellation) =>
        e is HttpRequestException or IOException or SocketException or AuthenticationException || (e is OperationCanceledException && !cancellation.IsCancellationRequested);

    private static string Words(Exception e) => e is OperationCanceledException ? $"no answer within {_patience.TotalSeconds:0} s"
        : e.InnerException is AuthenticationException inner ? inner.Message.TrimEnd('.')
        : e.Message.TrimEnd('.');

    private sealed record Reply(ReadOnlyMemory<byte> Body, string? Location, TimeSpan? RetryAfter);
}
