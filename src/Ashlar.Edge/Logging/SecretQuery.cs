using System.Text;

namespace Ashlar.Edge.Logging;

/// <summary>
/// A request target in parts, with the values of query parameters that are obviously secret put as <c>***</c>: names that
/// contain token, passw, secret, signature, credential or apikey (also api_key, api-key), or that are one of a few short ones.
/// Case does not matter. Enumerate with foreach; allocates nothing.
/// </summary>
internal ref struct SecretQuery(ReadOnlySpan<byte> target)
{
    private static readonly byte[][] _within =
    [
        [.. "token"u8], [.. "passw"u8], [.. "secret"u8], [.. "signature"u8], [.. "credential"u8], [.. "apikey"u8], [.. "api_key"u8], [.. "api-key"u8],
    ];

    private static readonly byte[][] _whole =
    [
        [.. "key"u8], [.. "sig"u8], [.. "auth"u8], [.. "authorization"u8], [.. "code"u8], [.. "jwt"u8], [.. "otp"u8], [.. "pass"u8],
        [.. "pin"u8], [.. "pwd"u8], [.. "session"u8], [.. "sessionid"u8], [.. "sid"u8],
    ];

    private ReadOnlySpan<byte> _rest = target;
    private bool _inQuery;
    private bool _mask;

    /// <summary>The part that is on.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly SecretQuery GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        if (_mask)
        {
            var end = _rest.IndexOfAny((byte)'&', (byte)';');
            _rest = end < 0 ? default : _rest[end..];
            _mask = false;
            Current = "***"u8;
            return true;
        }

        var from = 0;
        if (!_inQuery)
        {
            from = _rest.IndexOf((byte)'?') + 1;
            _inQuery = from > 0;
            if (!_inQuery)
            {
                return Give(_rest.Length);
            }
        }

        // Everything up to the value of the next secret is one part.
        while (from < _rest.Length)
        {
            from += _rest[from] is (byte)'&' or (byte)';' ? 1 : 0;
            var pair = _rest[from..];
            var end = pair.IndexOfAny((byte)'&', (byte)';');
            pair = end < 0 ? pair : pair[..end];
            var equals = pair.IndexOf((byte)'=');
            if (equals >= 0 && equals + 1 < pair.Length && IsSecret(pair[..equals]))
            {
                _mask = true;
                return Give(from + equals + 1);
            }

            from += pair.Length;
        }

        return Give(_rest.Length);
    }

    private static bool IsSecret(ReadOnlySpan<byte> name)
    {
        foreach (var word in _whole)
        {
            if (Ascii.EqualsIgnoreCase(name, word))
            {
                return true;
            }
        }

        foreach (var word in _within)
        {
            for (var at = 0; at + word.Length <= name.Length; at++)
            {
                if (Ascii.EqualsIgnoreCase(name.Slice(at, word.Length), word))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private bool Give(int length)
    {
        Current = _rest[..length];
        _rest = _rest[length..];
        return true;
    }
}
