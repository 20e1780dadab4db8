using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Ashlar.Tracing;

/// <summary>What a request looks like from where it is sent. Times are milliseconds since the trace began; null: it did not come so far.</summary>
internal sealed class ClientSide
{
    /// <summary>Addresses that the name has.</summary>
    public ImmutableArray<IPAddress> Addresses { get; private set; } = [];

    /// <summary>True: the system knows no such name, and the stack's own address was taken.</summary>
    public bool IsNameOfStack { get; private set; }

    /// <summary>Where the connection leads.</summary>
    public IPEndPoint? Connected { get; private set; }

    /// <summary>TLS version, cipher and protocol as agreed; null: no TLS.</summary>
    public string? Tls { get; private set; }

    /// <summary>Who the certificate is for, who has signed it and until when it is good.</summary>
    public string? Certificate { get; private set; }

    /// <summary>Why this machine would not trust the certificate; null: it does.</summary>
    public string? Distrust { get; private set; }

    /// <summary>The answer's status; null: none came.</summary>
    public int? Status { get; private set; }

    /// <summary>HTTP version of the answer.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Where a redirect leads.</summary>
    public string? Location { get; private set; }

    /// <summary>The answer's Cache-Status (RFC 9211); null: it says none.</summary>
    public string? CacheStatus { get; private set; }

    /// <summary>Bytes of the answer's body.</summary>
    public long Bytes { get; private set; }

    /// <summary>What went wrong; null: nothing.</summary>
    public string? Failure { get; private set; }

    /// <summary>When the trace began, by the clock.</summary>
    public DateTimeOffset Began { get; private set; }

    public double? NameAt { get; private set; }
    public double? ConnectedAt { get; private set; }
    public double? SecuredAt { get; private set; }
    public double? HeadAt { get; private set; }
    public double? EndAt { get; private set; }

    /// <summary>Sends the request and reads the whole answer.</summary>
    /// <param name="url">Where to.</param>
    /// <param name="method">The method.</param>
    /// <param name="fields">Further fields.</param>
    /// <param name="trace">The trace that it is part of.</param>
    /// <param name="own">Address of the stack for a name that the system does not know; null: it is none of the stack's.</param>
    /// <param name="clock">Time since the trace began; it is started here.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<ClientSide> AskAsync(
        Uri url, HttpMethod method, IEnumerable<(string Name, string Value)> fields, TraceId trace, IPAddress? own, Stopwatch clock, CancellationToken cancellation)
    {
        var seen = new ClientSide();
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectCallback = async (context, token) => new NetworkStream(await seen.ConnectAsync(context.DnsEndPoint, own, clock, token), ownsSocket: true),
            PlaintextStreamFilter = (context, _) =>
            {
                seen.Secured(context.PlaintextStream as SslStream, clock);
                return ValueTask.FromResult(context.PlaintextStream);
            },
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => seen.Look(certificate, chain, errors);
        handler.SslOptions.AllowTlsResume = false;
        if (url.Scheme == Uri.UriSchemeHttps)
        {
            await WarmAsync(url, own, cancellation);
        }

        try
        {
            using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
            using var request = new HttpRequestMessage(method, url)
            {
                Version = url.Scheme == Uri.UriSchemeHttps ? HttpVersion.Version20 : HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
            };
            request.Headers.TryAddWithoutValidation("traceparent", trace.Parent);
            request.Headers.TryAddWithoutValidation("User-Agent", "ashlar-trace");
            request.Headers.TryAddWithoutValidation("Accept", "*/*");
            foreach (var (name, value) in fields)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            seen.Answered(answer, clock);
            await using var body = await answer.Content.ReadAsStreamAsync(cancellation);
            var buffer = new byte[64 * 1024];
            for (int read; (read = await body.ReadAsync(buffer, cancellation)) > 0;)
            {
                seen.Bytes += read;
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            seen.Failure = (e.InnerException ?? e).Message.TrimEnd('.');
        }

        seen.EndAt = clock.Elapsed.TotalMilliseconds;
        return seen;
    }

    /// <summary>
    /// A handshake before the one that is measured: else this program's own beginning (loading of TLS, of the machine's list of authorities) would
    /// be told as the stack's.
    /// </summary>
    private static async Task WarmAsync(Uri url, IPAddress? own, CancellationToken cancellation)
    {
        try
        {
            var warm = new ClientSide();
            using var socket = await warm.ConnectAsync(new DnsEndPoint(url.Host, url.Port), own, new Stopwatch(), cancellation);
            await using var tls = new SslStream(new NetworkStream(socket));
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = url.Host,
                    AllowTlsResume = false,
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                    RemoteCertificateValidationCallback = (_, certificate, chain, errors) => warm.Look(certificate, chain, errors),
                },
                cancellation);
        }
        catch (Exception e) when (e is SocketException or IOException or System.Security.Authentication.AuthenticationException)
        {
            // What is wrong is told by the request itself.
        }
    }

    private async Task<Socket> ConnectAsync(DnsEndPoint where, IPAddress? own, Stopwatch clock, CancellationToken cancellation)
    {
        // Only from here on is it about the request; what was before is a program that starts.
        clock.Restart();
        Began = DateTimeOffset.UtcNow;
        try
        {
            Addresses = [.. await System.Net.Dns.GetHostAddressesAsync(where.Host, cancellation)];
        }
        catch (SocketException) when (own is not null)
        {
            (Addresses, IsNameOfStack) = ([own], true);
        }

        NameAt = clock.Elapsed.TotalMilliseconds;
        for (var i = 0; ; i++)
        {
            var socket = new Socket(Addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(Addresses[i], where.Port, cancellation);
                Connected = (IPEndPoint)socket.RemoteEndPoint!;
                ConnectedAt = clock.Elapsed.TotalMilliseconds;
                return socket;
            }
            catch (SocketException) when (i + 1 < Addresses.Length)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private void Secured(SslStream? stream, Stopwatch clock)
    {
        if (stream is null)
        {
            return;
        }

        SecuredAt = clock.Elapsed.TotalMilliseconds;
        var version = stream.SslProtocol.ToString().Replace("Tls", "TLS ", StringComparison.Ordinal).Replace("12", "1.2", StringComparison.Ordinal).Replace("13", "1.3", StringComparison.Ordinal);
        Tls = $"{version}, {stream.NegotiatedCipherSuite}, {(stream.NegotiatedApplicationProtocol.Protocol.IsEmpty ? "no protocol agreed" : stream.NegotiatedApplicationProtocol)}";
    }

    /// <summary>What is wrong with the certificate is told, and the request sent all the same: it carries nothing secret.</summary>
    private bool Look(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is X509Certificate2 known)
        {
            Certificate = string.Create(CultureInfo.InvariantCulture,
                $"{Names(known)}, signed by {known.GetNameInfo(X509NameType.SimpleName, forIssuer: true)}, good until {known.NotAfter.ToUniversalTime():yyyy-MM-dd}");
        }

        Distrust = errors switch
        {
            SslPolicyErrors.None => null,
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) => "it is not for this name",
            _ => chain?.ChainStatus.Select(status => status.StatusInformation.TrimEnd('.', '\n')).FirstOrDefault(text => text.Length > 0) ?? "its signer is not known here",
        };
        return true;
    }

    private static string Names(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames()).FirstOrDefault()
            ?? certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    private void Answered(HttpResponseMessage answer, Stopwatch clock)
    {
        HeadAt = clock.Elapsed.TotalMilliseconds;
        Status = (int)answer.StatusCode;
        Version = $"HTTP/{answer.Version.ToString(answer.Version.Minor == 0 && answer.Version.Major > 1 ? 1 : 2)}";
        Location = answer.Headers.Location?.ToString();
        CacheStatus = answer.Headers.TryGetValues("Cache-Status", out var said) ? string.Join(", ", said) : null;
    }
}
