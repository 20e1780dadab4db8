using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Jobs.Runner;

/// <summary>Signs what is sent, as the Standard Webhooks specification has it: HMAC-SHA256 over id, time and body.</summary>
internal sealed class WebhookSignature
{
    private const string Prefix = "whsec_";
    private readonly byte[] _key;

    /// <param name="secret"><c>whsec_</c> and the key in base64.</param>
    public WebhookSignature(string secret) => _key = Convert.FromBase64String(secret.StartsWith(Prefix, StringComparison.Ordinal) ? secret[Prefix.Length..] : secret);

    /// <summary>A secret in the form that services and libraries know.</summary>
    public static string SecretOf(string password) => Prefix + Convert.ToBase64String(Encoding.UTF8.GetBytes(password));

    /// <summary>The value of <c>webhook-signature</c>.</summary>
    /// <param name="id">Value of <c>webhook-id</c>.</param>
    /// <param name="timestamp">Value of <c>webhook-timestamp</c>: seconds since 1970.</param>
    /// <param name="body">The body as it is sent.</param>
    public string Sign(string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(head);
        hash.AppendData(body);
        return "v1," + Convert.ToBase64String(hash.GetHashAndReset());
    }
}
