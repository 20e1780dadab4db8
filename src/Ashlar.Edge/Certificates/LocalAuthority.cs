using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ashlar.Edge.Certificates;

/// <summary>
/// The stack's own authority for its sites: what browsers know once a person has told them to (<c>ashlar certificates trust</c>), and
/// nobody else. ECDSA on P-256; it signs servers and no other authority (RFC 5280 section 4.2.1.9).
/// </summary>
public sealed class LocalAuthority : IDisposable
{
    // A clock that is some hours behind must not find a certificate that is not valid yet.
    private static readonly TimeSpan _backdated = TimeSpan.FromHours(12);
    private readonly X509Certificate2 _certificate;

    private LocalAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>Life of the authority.</summary>
    public static TimeSpan Life { get; } = TimeSpan.FromDays(3650);

    /// <summary>Life of a certificate that it signs.</summary>
    public static TimeSpan ServerLife { get; } = TimeSpan.FromDays(90);

    /// <summary>Its certificate as PEM: no secret.</summary>
    public string CertificatePem => _certificate.ExportCertificatePem();

    /// <summary>Its name, as lists of authorities show it.</summary>
    public string Name => _certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    /// <summary>Begin of its life.</summary>
    public DateTimeOffset From => new(_certificate.NotBefore);

    /// <summary>End of its life.</summary>
    public DateTimeOffset Until => new(_certificate.NotAfter);

    /// <summary>True: it can sign a server that is to be good from now on for all of its life.</summary>
    public bool CanIssueAt(DateTimeOffset now) => From <= now && now + ServerLife <= Until;

    /// <summary>Makes the authority of a stack.</summary>
    public static LocalAuthority Create(string stack, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NameOf($"Ashlar local authority of {stack}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority(pathLengthConstraint: 0));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return new LocalAuthority(request.CreateSelfSigned(now - _backdated, now + Life));
    }

    /// <summary>Reads what <see cref="ExportPem"/> gave.</summary>
    /// <exception cref="CryptographicException">It is something else.</exception>
    public static LocalAuthority Import(string pem) => new(X509Certificate2.CreateFromPem(pem, pem));

    /// <summary>Certificate and private key as PEM: a secret.</summary>
    public string ExportPem() => $"{CertificatePem}\n{_certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()}\n";

    /// <summary>True if it has signed this certificate.</summary>
    public bool HasSigned(X509Certificate2 certificate) =>
        certificate.IssuerName.RawData.AsSpan().SequenceEqual(_certificate.SubjectName.RawData)
        && certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier is { } signer
        && _certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()?.SubjectKeyIdentifierBytes is { } own
        && signer.Span.SequenceEqual(own.Span);

    /// <summary>A certificate with a key of its own, as PEM: key, certificate. A secret.</summary>
    /// <param name="names">DNS names and addresses; the first is its common name.</param>
    /// <param name="now">The present.</param>
    public string Issue(IReadOnlyList<string> names, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(NameOf(names[0]), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForEndEntity(critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        request.CertificateExtensions.Add(Alternatives(names));
        var (from, earliest) = (now - _backdated, new DateTimeOffset(_certificate.NotBefore));
        using var signed = request.Create(_certificate, from > earliest ? from : earliest, now + ServerLife, RandomNumberGenerator.GetBytes(16));
        return $"{key.ExportPkcs8PrivateKeyPem()}\n{signed.ExportCertificatePem()}\n";
    }

    /// <inheritdoc />
    public void Dispose() => _certificate.Dispose();

    /// <summary>The extension that says which names a certificate is for (RFC 5280 section 4.2.1.6).</summary>
    internal static X509Extension Alternatives(IEnumerable<string> names)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        return alternatives.Build();
    }

    // A common name has at most 64 characters (RFC 5280 appendix A.1); a longer host stands in the alternatives alone.
    private static X500DistinguishedName NameOf(string common)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(common.Length <= 64 ? common : common[..64]);
        return builder.Build();
    }
}
