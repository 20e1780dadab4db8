using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ashlar.Catalog.Etcd;

/// <summary>
/// Mutual TLS with etcd. Only the authorities given are trusted, not the system's. A certificate that a member serves with must also be good
/// for clients (both extended key usages): etcd's gateway speaks to its own member with it.
/// </summary>
/// <param name="Authorities">The stack's authority, or several while it is replaced.</param>
/// <param name="Client">Our certificate with its private key; null: none is shown.</param>
public sealed record EtcdTls(X509Certificate2Collection Authorities, X509Certificate2? Client)
{
    /// <summary>Reads PEM files.</summary>
    /// <param name="authorities">File with one or more certificates.</param>
    /// <param name="certificate">File with our certificate; null: none.</param>
    /// <param name="key">File with its unencrypted private key.</param>
    /// <exception cref="Errors.AshlarException">ASH4076.</exception>
    public static EtcdTls Load(string authorities, string? certificate = null, string? key = null)
    {
        var path = authorities;
        try
        {
            var trusted = new X509Certificate2Collection();
            trusted.ImportFromPemFile(authorities);
            if (trusted.Count == 0)
            {
                throw CatalogErrors.CertificateUnusable(authorities, "it holds no certificate in PEM");
            }

            path = certificate ?? path;
            return new EtcdTls(trusted, certificate is null ? null : X509Certificate2.CreateFromPemFile(certificate, key));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw CatalogErrors.CertificateUnusable(path, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Gives our certificate of the moment, where it is renewed while we run; null: it is <see cref="Client"/> for ever.</summary>
    public Func<X509Certificate2>? Renewed { get; init; }

    /// <summary>As .NET wants it for a client's connection.</summary>
    internal SslClientAuthenticationOptions ToOptions()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(Authorities);
        return new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = policy,
            LocalCertificateSelectionCallback = Renewed is { } renewed ? (_, _, _, _, _) => renewed() : null,
            ClientCertificateContext = Client is null || Renewed is not null ? null : SslStreamCertificateContext.Create(Client, null, offline: true),
        };
    }
}
