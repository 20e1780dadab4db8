using System.Globalization;
using System.Text;
using Ashlar.Edge.Caching;
using Ashlar.Edge.Caching.Rules;

namespace Ashlar.Edge.Forwarding;

/// <summary>
/// <c>PURGE</c>, as apps know it from other caches: of its own URL, of everything (<c>/*</c>), or of a tag in <c>Surrogate-Key</c> or
/// <c>Cache-Tag</c>; <c>Soft-Purge: 1</c> makes it stale only. From the addresses that may.
/// </summary>
internal sealed partial class Exchange
{
    private bool AnswerPurge(ReadOnlySpan<byte> buffer)
    {
        var address = ClientIp(buffer);
        if (!_cache!.Settings.Purgers.Any(network => network.Contains(address)))
        {
            var refusal = "This address may not send PURGE: edge.cache.purge_from names those that may.\n"u8;
            AnswerShort("403 Forbidden", $"Content-Type: text/plain\r\nContent-Length: {refusal.Length}\r\n", refusal);
            return true;
        }

        string? tag = null;
        var soft = false;
        foreach (ref readonly var field in Request.Fields)
        {
            var name = field.Name(buffer);
            if (FieldText.Is(name, "surrogate-key"u8) || FieldText.Is(name, "cache-tag"u8))
            {
                tag = Encoding.Latin1.GetString(field.Value(buffer));
            }
            else if (FieldText.Is(name, "soft-purge"u8) || FieldText.Is(name, "fastly-soft-purge"u8))
            {
                soft = field.Value(buffer).SequenceEqual("1"u8);
            }
        }

        var url = Encoding.Latin1.GetString(KeyOf(buffer));
        if (url.Length == 0 && tag is null)
        {
            AnswerShort("414 URI Too Long", "Content-Length: 0\r\n", default);
            return true;
        }

        var isAll = url.Length > 0 && url[url.IndexOf('/', StringComparison.Ordinal)..] == "/*";
        var order = new PurgeOrder(tag is null && !isAll ? $"http://{url[1..]}" : null, tag, soft);
        var count = order.CarryOut(_cache);
        _edge.Server.Purged(order);
        var text = $"{{\"purged\":{count.ToString(CultureInfo.InvariantCulture)}}}\n";
        AnswerShort("200 OK", $"Content-Type: application/json\r\nContent-Length: {text.Length}\r\nCache-Control: no-store\r\n", Encoding.ASCII.GetBytes(text));
        return true;
    }
}
