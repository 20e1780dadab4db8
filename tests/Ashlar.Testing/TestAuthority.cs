using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ashlar.Testing;

/// <summary>An authority that signs certificates for tests, as the stack's own does for machines.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _certificate;

    /// <summary>Makes it.</summary>
    public TestAuthority(string name = "test authority")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
    }

    /// <summary>Its certificate as PEM.</summary>
    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>Writes the identity of a machine into a folder: <c>machine.crt</c>, <c>machine.key</c>, <c>authority.crt</c>.</summary>
    /// <param name="folder">The folder; made where there is none.</param>
    /// <param name="name">Name of the machine.</param>
    /// <param name="daysLeft">Days until it expires; negative: it has.</param>
    public string Issue(string folder, string name, int daysLeft = 10)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(
            _certificate, DateTimeOffset.UtcNow.AddDays(-20), DateTimeOffset.UtcNow.AddDays(daysLeft), RandomNumberGenerator.GetBytes(16));
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "machine.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, "machine.crt"), signed.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "authority.crt"), Pem);
        return folder;
    }

    /// <summary>The identity in a folder, as .NET's own TLS uses it.</summary>
    public static X509Certificate2 Load(string folder)
    {
        using var pem = X509Certificate2.CreateFromPemFile(Path.Combine(folder, "machine.crt"), Path.Combine(folder, "machine.key"));
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    /// <inheritdoc />
    public void Dispose() => _certificate.Dispose();
}
