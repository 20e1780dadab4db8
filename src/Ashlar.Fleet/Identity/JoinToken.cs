using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Fleet.Identity;

/// <summary>
/// What a machine needs to join: where, how it knows the stack's authority before it trusts anything, and a secret that is good for
/// one machine, once. Printed as one word.
/// </summary>
/// <param name="Address">Where a machine of the stack listens for others.</param>
/// <param name="Authority">SHA-256 of the authority's certificate.</param>
/// <param name="Secret">32 random bytes.</param>
public sealed record JoinToken(IPEndPoint Address, byte[] Authority, byte[] Secret)
{
    private const string Prefix = "ashlar-join-1.";
    private const int HashLength = 32;
    private const int LongestText = 256;

    /// <summary>A token with a new secret.</summary>
    public static JoinToken Create(IPEndPoint address, byte[] authority) => new(address, authority, RandomNumberGenerator.GetBytes(HashLength));

    /// <summary>What the stack keeps of the secret.</summary>
    public string SecretHash => Convert.ToHexStringLower(SHA256.HashData(Secret));

    /// <summary>Reads one.</summary>
    /// <exception cref="Errors.AshlarException">ASH7501.</exception>
    public static JoinToken Parse(string text)
    {
        text = text.Trim();
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            throw FleetErrors.NotAToken($"it does not begin with {Prefix}");
        }

        if (text.Length > LongestText || !Base64Url.IsValid(text.AsSpan(Prefix.Length)))
        {
            throw FleetErrors.NotAToken("it holds other signs than a token's");
        }

        var bytes = Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length));
        var checksum = 2 * HashLength;
        if (bytes.Length <= checksum + 4 || !CryptographicOperations.FixedTimeEquals(SHA256.HashData(bytes.AsSpan(0, bytes.Length - 4)).AsSpan(0, 4), bytes.AsSpan(bytes.Length - 4)))
        {
            throw FleetErrors.NotAToken("a part of it is missing or wrong");
        }

        return IPEndPoint.TryParse(Encoding.ASCII.GetString(bytes.AsSpan(checksum, bytes.Length - checksum - 4)), out var address) && address.Port != 0
            ? new JoinToken(address, bytes[..HashLength], bytes[HashLength..checksum])
            : throw FleetErrors.NotAToken("it names no address");
    }

    /// <summary>The token as one word: a secret.</summary>
    public string Print()
    {
        byte[] body = [.. Authority, .. Secret, .. Encoding.ASCII.GetBytes(Address.ToString())];
        return Prefix + Base64Url.EncodeToString([.. body, .. SHA256.HashData(body).AsSpan(0, 4)]);
    }

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"join {Address}";
}
