using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ashlar.Testing;

/// <summary>An authority with a certificate for servers of 127.0.0.1 that are clients as well, and one for clients alone, as files.</summary>
public sealed class TestCertificates
{
    private const string ForServers = "1.3.6.1.5.5.7.3.1";
    private const string ForClients = "1.3.6.1.5.5.7.3.2";
    private readonly string _folder;

    /// <summary>Makes them in a folder of that name.</summary>
    public TestCertificates(string folder, string name = "stack")
    {
        _folder = Path.Combine(folder, name);
        Directory.CreateDirectory(_folder);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name} authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(Authority, authority.ExportCertificatePem());
        Issue(authority, "server", ForServers, ForClients);
        Issue(authority, "client", ForClients);
    }

    /// <summary>The authority's certificate.</summary>
    public string Authority => Path.Combine(_folder, "authority.pem");

    /// <summary>The servers' certificate.</summary>
    public string Server => Path.Combine(_folder, "server.pem");

    /// <summary>Its key.</summary>
    public string ServerKey => Path.Combine(_folder, "server.key");

    /// <summary>The clients' certificate.</summary>
    public string Client => Path.Combine(_folder, "client.pem");

    /// <summary>Its key.</summary>
    public string ClientKey => Path.Combine(_folder, "client.key");

    private void Issue(X509Certificate2 authority, string name, params string[] usages)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var oids = new OidCollection();
        foreach (var usage in usages)
        {
            oids.Add(new Oid(usage));
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(oids, critical: false));
        using var certificate = request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(2), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(_folder, $"{name}.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, $"{name}.key"), key.ExportPkcs8PrivateKeyPem());
    }
}
