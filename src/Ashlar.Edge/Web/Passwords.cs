using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Edge.Web;

/// <summary>
/// Checks passwords against hashes of crypt(5): bcrypt, SHA-512, yescrypt, by the system's own library. That is slow by design, so it is
/// done off the loop, and what was right is remembered for a short time, as a keyed hash.
/// </summary>
internal sealed class Passwords
{
    private const int MostRemembered = 4096;
    private static readonly TimeSpan _remembered = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, long> _right = new(StringComparer.Ordinal);
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly Func<byte[], string, bool> _matches;

    /// <param name="matches">Says if a password has a hash.</param>
    public Passwords(Func<byte[], string, bool> matches) => _matches = matches;

    /// <summary>True: these credentials were right a moment ago.</summary>
    /// <param name="credentials">As the client sent them.</param>
    /// <param name="hash">The user's hash now; a new one forgets the old password.</param>
    public bool IsRemembered(ReadOnlySpan<byte> credentials, string hash) =>
        _right.TryGetValue(KeyOf(credentials, hash), out var until) && Environment.TickCount64 < until;

    /// <summary>Checks a password. Takes some ten to hundred milliseconds.</summary>
    public bool Check(ReadOnlySpan<byte> credentials, byte[] password, string hash)
    {
        if (!_matches(password, hash))
        {
            return false;
        }

        if (_right.Count >= MostRemembered)
        {
            _right.Clear();
        }

        _right[KeyOf(credentials, hash)] = Environment.TickCount64 + (long)_remembered.TotalMilliseconds;
        return true;
    }

    /// <summary>True if the password has this hash.</summary>
    public static bool Matches(byte[] password, string hash)
    {
        if (password.AsSpan().Contains((byte)0))
        {
            return false;
        }

        var computed = Crypt.Hash(password, hash);
        return computed is not null && computed[0] != '*'
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(computed), Encoding.ASCII.GetBytes(hash));
    }

    /// <summary>What stands for credentials and the hash they are held to; tells nothing of them.</summary>
    public string KeyOf(ReadOnlySpan<byte> credentials, string hash)
    {
        Span<byte> mac = stackalloc byte[32];
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hmac.AppendData(credentials);
        hmac.AppendData("\0"u8);
        hmac.AppendData(Encoding.UTF8.GetBytes(hash));
        hmac.GetHashAndReset(mac);
        return Convert.ToHexString(mac);
    }
}

/// <summary>The system's crypt(3).</summary>
internal static unsafe partial class Crypt
{
    // struct crypt_data of libxcrypt.
    private const int DataSize = 32768;

    /// <summary>The hash of a password with the settings of another hash; null: the library is not here.</summary>
    public static string? Hash(byte[] password, string settings)
    {
        var data = (byte*)NativeMemory.AllocZeroed(DataSize);
        try
        {
            fixed (byte* key = Terminated(password))
            fixed (byte* setting = Terminated(Encoding.ASCII.GetBytes(settings)))
            {
                return Marshal.PtrToStringAnsi((nint)crypt_r(key, setting, data));
            }
        }
        catch (DllNotFoundException)
        {
            return null;
        }
        finally
        {
            NativeMemory.Clear(data, DataSize);
            NativeMemory.Free(data);
        }
    }

    private static byte[] Terminated(byte[] text) => [.. text, 0];

    [LibraryImport("libcrypt.so.1")]
    private static partial byte* crypt_r(byte* key, byte* setting, byte* data);
}
