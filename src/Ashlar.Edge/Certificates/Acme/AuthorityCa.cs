using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Ashlar.Errors;

namespace Ashlar.Edge.Certificates.Acme;

/// <summary>The certificates by which an ACME authority's own server is known: <c>edge.tls.authority_ca</c>.</summary>
public static class AuthorityCa
{
    private const int MostBytes = 1 << 20;
    private const string Begin = "-----BEGIN CERTIFICATE-----";

    /// <summary>Reads the file.</summary>
    /// <param name="path">PEM file of at most 1 MiB.</param>
    /// <exception cref="AshlarException">ASH3083: it is none that can be used.</exception>
    public static X509Certificate2Collection Read(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length > MostBytes ? throw AcmeErrors.AuthorityCaUnusable(path, $"it has {length} bytes, and more than {MostBytes} are not read") : Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AcmeErrors.AuthorityCaUnusable(path, e is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : e.Message.TrimEnd('.'));
        }
    }

    /// <summary>Reads the file, and refuses it if nothing can be known by it at this time.</summary>
    /// <exception cref="AshlarException">ASH3083.</exception>
    public static X509Certificate2Collection Read(string path, DateTimeOffset now)
    {
        var all = Read(path);
        return all.Any(c => c.NotBefore.ToUniversalTime() <= now.UtcDateTime && now.UtcDateTime < c.NotAfter.ToUniversalTime()) ? all
            : throw AcmeErrors.AuthorityCaUnusable(path, $"{all[0].Subject} {AcmeErrors.Life(all[0])}, and it is {now.UtcDateTime:yyyy-MM-dd HH:mm} UTC");
    }

    private static X509Certificate2Collection Parse(string text, string path)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            throw AcmeErrors.AuthorityCaUnusable(path, "a certificate in it is damaged");
        }

        // What is cut off is passed over silently by who reads PEM.
        var begun = text.AsSpan().Count(Begin);
        return begun == 0 ? throw AcmeErrors.AuthorityCaUnusable(path, text.Contains("PRIVATE KEY-----", StringComparison.Ordinal) ? "it holds a private key, and no certificate" : "it holds no certificate (PEM)")
            : all.Count < begun ? throw AcmeErrors.AuthorityCaUnusable(path, "a certificate in it is cut off or damaged")
            : all;
    }
}
