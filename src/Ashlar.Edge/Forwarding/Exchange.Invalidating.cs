using Ashlar.Edge.Caching.Rules;
using Ashlar.Http.Wire;

namespace Ashlar.Edge.Forwarding;

/// <summary>What a request that may have changed something takes out of the store (RFC 9111 section 4.4).</summary>
internal sealed partial class Exchange
{
    /// <summary>A successful request that may have changed something: what is stored of the URLs it names counts no more (RFC 9111 section 4.4).</summary>
    private void Invalidate()
    {
        var cache = _cache!;
        var request = _client.Received!.Slice(_headStart, Request.Consumed);
        var host = HostOf(request);
        cache.Purge(KeyOf(request), soft: false);
        foreach (ref readonly var field in Response.Fields)
        {
            var data = _received!.Data;
            if (field.Known == KnownHeader.Location || FieldText.Is(field.Name(data), "content-location"u8))
            {
                if (TrySameOrigin(field.Value(data), host, Request.PathRange.Of(request), out var key))
                {
                    cache.Purge(key, soft: false);
                }
            }
        }
    }

    // Only what this origin has: another's responses are not for it to take out.
    private bool TrySameOrigin(ReadOnlySpan<byte> reference, ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, out ReadOnlySpan<byte> key)
    {
        key = default;
        var fragment = reference.IndexOf((byte)'#');
        reference = fragment < 0 ? reference : reference[..fragment];
        var colon = reference.IndexOf("://"u8);
        if (colon > 0 && colon < 8)
        {
            var scheme = reference[..colon];
            if (!FieldText.Is(scheme, IsClientSecure(_client.Received!.Slice(_headStart, Request.Consumed)) ? "https"u8 : "http"u8))
            {
                return false;
            }

            reference = reference[(colon + 1)..];
        }

        if (reference.StartsWith("//"u8))
        {
            reference = reference[2..];
            var end = reference.IndexOfAny((byte)'/', (byte)'?');
            end = end < 0 ? reference.Length : end;
            if (!System.Text.Ascii.EqualsIgnoreCase(reference[..end], host))
            {
                return false;
            }

            reference = reference[end..];
        }

        if (reference.IsEmpty || reference[0] == '/')
        {
            key = KeyOf(host, reference, default);
        }
        else
        {
            // Relative: beside the request's own path.
            key = KeyOf(host, path[..(path.LastIndexOf((byte)'/') + 1)], reference);
        }

        return !key.IsEmpty;
    }
}
