using System.Text;

namespace Ashlar.Catalog.Etcd;

/// <summary>Keys as etcd has them.</summary>
internal static class EtcdKeys
{
    public static byte[] Bytes(string key) => Encoding.ASCII.GetBytes(key);

    public static string Text(byte[] key) => Encoding.ASCII.GetString(key);

    /// <summary>The end of all keys that begin with a prefix: they are printable ASCII, so DEL comes after them. Never empty: that means one key.</summary>
    public static byte[] End(string prefix) => Bytes(prefix + '\x7f');

    /// <summary>The store's revision, as a majority knows it.</summary>
    public static async ValueTask<long> RevisionAsync(EtcdGateway gateway, string prefix, CancellationToken cancellation)
    {
        var request = new RangeRequest(Bytes(prefix.Length > 0 ? prefix : "!"), CountOnly: true);
        var answer = await gateway.AskAsync(
            "kv/range", request, EtcdMessages.Default.RangeRequest, EtcdMessages.Default.RangeAnswer, repeatable: true, cancellation).ConfigureAwait(false);
        return answer.Header!.Revision;
    }
}
