using System.Security.Cryptography;
using System.Text;

/// <summary>What the stack sends is signed as Standard Webhooks has it: HMAC-SHA256 over id, time and body, with the secret that only the stack's services have.</summary>
internal static class Webhook
{
    private static readonly byte[] Key = Convert.FromBase64String((Environment.GetEnvironmentVariable("ASHLAR_JOBS_SECRET") ?? "").Replace("whsec_", ""));

    /// <summary>The body of a request that is signed and at most five minutes old; null: it is somebody else's.</summary>
    public static async Task<byte[]?> BodyAsync(HttpRequest request, CancellationToken cancellation)
    {
        var (id, time) = (request.Headers["webhook-id"], request.Headers["webhook-timestamp"]);
        if (!long.TryParse(time, out var seconds) || Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds) > 300)
        {
            return null;
        }

        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellation);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{time}."), .. body.ToArray()];
        var expected = Encoding.ASCII.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(Key, signed)));
        return request.Headers["webhook-signature"].ToString().Split(' ').Any(one => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(one), expected))
            ? body.ToArray()
            : null;
    }
}
