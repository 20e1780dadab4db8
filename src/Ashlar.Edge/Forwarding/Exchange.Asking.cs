using Ashlar.Edge.Caching;
using Ashlar.Edge.Caching.Rules;

namespace Ashlar.Edge.Forwarding;

/// <summary>What the store asks of the app beside the client's request.</summary>
internal sealed partial class Exchange
{
    /// <summary>Further lines of the request to the app: what is asked about, and that Surrogate-Control is understood.</summary>
    private ReadOnlySpan<byte> CacheLines(out bool ownConditions)
    {
        ownConditions = _refreshes || (_fill is not null && _stored is { HasValidator: true });
        if (_cache is null || _cacheWord is CacheWord.None or CacheWord.Method or CacheWord.Bypass)
        {
            return default;
        }

        var lines = _edge.Scratch.Lines;
        var capability = "Surrogate-Capability: ashlar=\"Surrogate/1.0\"\r\n"u8;
        capability.CopyTo(lines);
        var length = capability.Length;
        if (_fill is not null && _stored is { HasValidator: true } stored)
        {
            var fields = new FieldLines(stored.Fields);
            while (fields.Next())
            {
                var isTag = FieldText.Is(fields.Name, "etag"u8);
                if ((isTag || FieldText.Is(fields.Name, "last-modified"u8)) && length + fields.Value.Length + 32 <= lines.Length)
                {
                    var name = isTag ? "If-None-Match: "u8 : "If-Modified-Since: "u8;
                    name.CopyTo(lines.AsSpan(length));
                    length += name.Length;
                    fields.Value.CopyTo(lines.AsSpan(length));
                    length += fields.Value.Length;
                    "\r\n"u8.CopyTo(lines.AsSpan(length));
                    length += 2;
                }
            }
        }

        return lines.AsSpan(0, length);
    }
}
