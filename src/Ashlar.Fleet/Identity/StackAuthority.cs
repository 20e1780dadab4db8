using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ashlar.Fleet.Identity;

/// <summary>
/// The stack's own certificate authority: who holds a certificate of it is a machine of the stack. ECDSA on P-256 throughout; it can
/// sign machines and no other authority (RFC 5280, section 4.2.1.9).
/// </summary>
public sealed class StackAuthority : IDisposable
{
    // A clock that is some hours behind must not find a certificate that is not valid yet.
    private static readonly TimeSpan Backdated = TimeSpan.FromDays(1);
    private readonly X509Certificate2 _certificate;

    private StackAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>Life of the authority.</summary>
    public static TimeSpan Life { get; } = TimeSpan.FromDays(3650);

    /// <summary>Life of a machine's certificate. It is renewed when a third of it is left.</summary>
    public static TimeSpan MachineLife { get; } = TimeSpan.FromDays(90);

    /// <summary>Its certificate as PEM: no secret.</summary>
    public string CertificatePem => _certificate.ExportCertificatePem();

    /// <summary>SHA-256 of its certificate, by which one who joins knows it.</summary>
    public byte[] Fingerprint => FingerprintOf(_certificate);

    /// <summary>SHA-256 of a certificate.</summary>
    public static byte[] FingerprintOf(X509Certificate2 certificate) => certificate.GetCertHash(HashAlgorithmName.SHA256);

    /// <summary>Makes the authority of a stack.</summary>
    public static StackAuthority Create(string stack, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(Name($"Ashlar authority of {stack}"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForCertificateAuthority(pathLengthConstraint: 0));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return new StackAuthority(request.CreateSelfSigned(now - Backdated, now + Life));
    }

    /// <summary>Reads what <see cref="ExportPem"/> gave.</summary>
    /// <exception cref="Errors.AshlarException">ASH7507.</exception>
    public static StackAuthority Import(string pem)
    {
        try
        {
            return new StackAuthority(X509Certificate2.CreateFromPem(pem, pem));
        }
        catch (CryptographicException e)
        {
            throw FleetErrors.IdentityUnusable("The stack's authority", e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Certificate and private key as PEM: a secret.</summary>
    public string ExportPem() => $"{CertificatePem}\n{_certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()}\n";

    /// <summary>SHA-256 of the public key that a request shows, as lower-case hex: by it a machine is the same one.</summary>
    /// <exception cref="Errors.AshlarException">ASH7507.</exception>
    public static string KeyOf(string requestPem) => KeyOf(Read(requestPem));

    /// <summary>SHA-256 of the public key of a certificate.</summary>
    public static string KeyOf(X509Certificate2 certificate) => KeyOf(certificate.PublicKey);

    /// <summary>Signs a machine's request. Nothing of what the request says is taken but the key.</summary>
    /// <param name="requestPem">PKCS#10 request (RFC 2986), PEM.</param>
    /// <param name="machine">Name of the machine.</param>
    /// <param name="addresses">Addresses under which others reach it.</param>
    /// <param name="now">The present.</param>
    /// <returns>The certificate as PEM.</returns>
    /// <exception cref="Errors.AshlarException">ASH7505; ASH7507: the request is malformed, or its key is not one of ours.</exception>
    public string Sign(string requestPem, string machine, IEnumerable<IPAddress> addresses, DateTimeOffset now)
    {
        MachineName.Check(machine);
        var key = Read(requestPem);
        using var public256 = key.GetECDsaPublicKey();
        if (public256?.KeySize != 256)
        {
            throw FleetErrors.IdentityUnusable("The request to be signed", "its key is not on the curve P-256");
        }

        var request = new CertificateRequest(Name(machine), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509BasicConstraintsExtension.CreateForEndEntity(critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(machine);
        foreach (var address in addresses.Distinct())
        {
            names.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(names.Build());
        var from = now - Backdated;
        var earliest = new DateTimeOffset(_certificate.NotBefore);
        using var signed = request.Create(_certificate, from > earliest ? from : earliest, now + MachineLife, RandomNumberGenerator.GetBytes(16));
        return signed.ExportCertificatePem();
    }

    /// <inheritdoc />
    public void Dispose() => _certificate.Dispose();

    private static string KeyOf(PublicKey key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    private static PublicKey Read(string requestPem)
    {
        try
        {
            return CertificateRequest.LoadSigningRequestPem(requestPem, HashAlgorithmName.SHA256).PublicKey;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw FleetErrors.IdentityUnusable("The request to be signed", e.Message.TrimEnd('.'), e);
        }
    }

    private static X500DistinguishedName Name(string common)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(common);
        return builder.Build();
    }
}
