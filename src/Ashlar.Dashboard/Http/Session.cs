using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Dashboard.Http;

/// <summary>
/// What proves that a visitor has the token. The cookie's value is derived from it and from a time, so it survives a replacement of the
/// dashboard, ends by itself, and tells nobody the token.
/// </summary>
/// <param name="token">The token.</param>
/// <param name="time">Clock.</param>
internal sealed class Session(string token, TimeProvider time)
{
    /// <summary>How long a cookie lets in.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(7);

    private const int LongestText = 200;
    private readonly byte[] _key = Encoding.UTF8.GetBytes(token);

    /// <summary>Name of the cookie: browsers do not tell ports apart, so each stack has its own.</summary>
    public string Cookie { get; } = "ashlar-" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), "cookie"u8))[..8];

    /// <summary>True: it is the token. Takes the same time for every text.</summary>
    public bool IsToken(string text)
    {
        // The same number of bytes on both sides, or the comparison would tell the length.
        var given = SHA256.HashData(Encoding.UTF8.GetBytes(text.Length <= LongestText ? text : text[..LongestText]));
        return CryptographicOperations.FixedTimeEquals(given, SHA256.HashData(_key));
    }

    /// <summary>A new value for the cookie.</summary>
    public string Begin()
    {
        var begun = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"{begun}.{Mark(begun)}";
    }

    /// <summary>True: it is a value of ours and not too old.</summary>
    public bool IsSession(string? value)
    {
        if (value is not { Length: < LongestText } || value.IndexOf('.') is not (> 0 and < 16) || value.Split('.') is not [var begun, var mark])
        {
            return false;
        }

        var same = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(mark), Encoding.ASCII.GetBytes(Mark(begun)));
        var age = time.GetUtcNow().ToUnixTimeSeconds() - (long.TryParse(begun, NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? at : 0);
        return same && age >= 0 && age < Life.TotalSeconds;
    }

    private string Mark(string begun) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.ASCII.GetBytes("session " + begun)));
}
