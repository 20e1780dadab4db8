using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Serialization;
using Ashlar.Errors;

namespace Ashlar.Agent.Certificates;

/// <summary>A certificate with its key, as the store keeps it: a secret.</summary>
/// <param name="Names">What it is for; the first is the site's host.</param>
/// <param name="Pem">Key, certificate, chain.</param>
/// <param name="Issuer">Who has issued it, for people: <c>local</c>, or the host of the authority's directory.</param>
/// <param name="From">Begin of its life.</param>
/// <param name="Until">End of its life.</param>
internal sealed record CertificateRecord(ImmutableArray<string> Names, string Pem, string Issuer, DateTimeOffset From, DateTimeOffset Until)
{
    public const string Local = "local";

    [JsonIgnore]
    public bool IsLocal => Issuer == Local;

    /// <summary>When it is to be renewed: after two thirds of its life.</summary>
    [JsonIgnore]
    public DateTimeOffset DueAt => From + ((Until - From) * 2 / 3);

    /// <summary>Name of the file with it; another content has another name.</summary>
    [JsonIgnore]
    public string File => $"{Names[0]}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Pem))).Substring(0, 16)}.pem";

    public static CertificateRecord Of(ImmutableArray<string> names, string pem, string issuer)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return new CertificateRecord(names, pem, issuer, new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
    }

    /// <inheritdoc />
    public override string ToString() => $"certificate of {Names[0]}";
}

/// <summary>What went wrong with a site's certificate the last time.</summary>
/// <param name="Failures">Failures in a row.</param>
/// <param name="NextTry">When it is tried again.</param>
/// <param name="Error">What went wrong.</param>
internal sealed record CertificateTrouble(int Failures, DateTimeOffset NextTry, AshlarError Error)
{
    /// <summary>With whom it went wrong: another is asked at once.</summary>
    public string? Issuer { get; init; }
}

/// <summary>An account with an ACME authority: a secret.</summary>
/// <param name="Directory">Address of the authority's directory.</param>
/// <param name="KeyPem">Private key.</param>
/// <param name="Url">The account's own address; null: not made yet.</param>
internal sealed record AcmeAccountRecord(string Directory, string KeyPem, string? Url)
{
    /// <inheritdoc />
    public override string ToString() => $"account with {Directory}";
}

[JsonSerializable(typeof(CertificateRecord))]
[JsonSerializable(typeof(CertificateTrouble))]
[JsonSerializable(typeof(AcmeAccountRecord))]
internal sealed partial class CertificateJson : JsonSerializerContext;
