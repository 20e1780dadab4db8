using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Ashlar.Edge.Certificates.Acme;

/// <summary>The key of an account with an ACME authority: ES256 (RFC 7518 section 3.4).</summary>
public sealed class AcmeAccountKey : IDisposable
{
    private readonly ECDsa _key;
    private readonly string _jwk;

    private AcmeAccountKey(ECDsa key)
    {
        _key = key;
        var q = key.ExportParameters(includePrivateParameters: false).Q;

        // Members in the order of RFC 7638 section 3.2, because the thumbprint is taken of this very text.
        _jwk = $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(q.X)}}","y":"{{Base64Url.EncodeToString(q.Y)}}"}""";
    }

    /// <summary>SHA-256 of the public key (RFC 7638), as challenges want it.</summary>
    public string Thumbprint => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(_jwk)));

    /// <summary>Makes one.</summary>
    public static AcmeAccountKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Reads what <see cref="ExportPem"/> gave.</summary>
    /// <exception cref="CryptographicException">It is something else.</exception>
    public static AcmeAccountKey Import(string pem)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(pem);
        return new AcmeAccountKey(key);
    }

    /// <summary>The private key as PEM: a secret.</summary>
    public string ExportPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>A signed request (RFC 8555 section 6.2).</summary>
    /// <param name="url">Address that it goes to.</param>
    /// <param name="nonce">Nonce of the authority.</param>
    /// <param name="account">Address of the account; null: the public key is shown instead.</param>
    /// <param name="payload">JSON; empty: a GET in the form of a POST.</param>
    public byte[] Sign(string url, string nonce, string? account, string payload)
    {
        var who = account is null ? $"\"jwk\":{_jwk}" : $"\"kid\":{Quote(account)}";
        var head = Encode($$"""{"alg":"ES256",{{who}},"nonce":{{Quote(nonce)}},"url":{{Quote(url)}}}""");
        var body = Encode(payload);
        var signature = _key.SignData(Encoding.ASCII.GetBytes($"{head}.{body}"), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return Encoding.ASCII.GetBytes($$"""{"protected":"{{head}}","payload":"{{body}}","signature":"{{Base64Url.EncodeToString(signature)}}"}""");
    }

    /// <inheritdoc />
    public void Dispose() => _key.Dispose();

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static string Quote(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}
