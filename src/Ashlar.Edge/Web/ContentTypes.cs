using System.Collections.Frozen;
using System.Text;

namespace Ashlar.Edge.Web;

/// <summary>Content types by the ending of a file's name (IANA's registrations).</summary>
internal static class ContentTypes
{
    private static readonly FrozenDictionary<string, string> _types = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["html"] = "text/html; charset=utf-8", ["htm"] = "text/html; charset=utf-8", ["css"] = "text/css; charset=utf-8",
        ["js"] = "text/javascript; charset=utf-8", ["mjs"] = "text/javascript; charset=utf-8", ["json"] = "application/json",
        ["map"] = "application/json", ["webmanifest"] = "application/manifest+json", ["xml"] = "application/xml", ["txt"] = "text/plain; charset=utf-8",
        ["md"] = "text/markdown; charset=utf-8", ["csv"] = "text/csv; charset=utf-8", ["svg"] = "image/svg+xml", ["png"] = "image/png",
        ["jpg"] = "image/jpeg", ["jpeg"] = "image/jpeg", ["gif"] = "image/gif", ["webp"] = "image/webp", ["avif"] = "image/avif",
        ["ico"] = "image/vnd.microsoft.icon", ["bmp"] = "image/bmp", ["woff"] = "font/woff", ["woff2"] = "font/woff2", ["ttf"] = "font/ttf",
        ["otf"] = "font/otf", ["mp3"] = "audio/mpeg", ["ogg"] = "audio/ogg", ["opus"] = "audio/ogg", ["wav"] = "audio/wav", ["m4a"] = "audio/mp4",
        ["mp4"] = "video/mp4", ["webm"] = "video/webm", ["mov"] = "video/quicktime", ["m3u8"] = "application/vnd.apple.mpegurl",
        ["ts"] = "video/mp2t", ["pdf"] = "application/pdf", ["zip"] = "application/zip", ["gz"] = "application/gzip", ["br"] = "application/octet-stream",
        ["wasm"] = "application/wasm", ["atom"] = "application/atom+xml", ["rss"] = "application/rss+xml", ["ics"] = "text/calendar; charset=utf-8",
        ["vtt"] = "text/vtt; charset=utf-8",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The type of a file.</summary>
    public static string Of(ReadOnlySpan<byte> path)
    {
        var name = path[(path.LastIndexOf((byte)'/') + 1)..];
        var dot = name.LastIndexOf((byte)'.');
        return dot >= 0 && _types.TryGetValue(Encoding.Latin1.GetString(name[(dot + 1)..]), out var type) ? type : "application/octet-stream";
    }

    /// <summary>True if compressing it pays.</summary>
    public static bool IsCompressible(string type) =>
        type.StartsWith("text/", StringComparison.Ordinal) || type.Contains("json", StringComparison.Ordinal) || type.Contains("xml", StringComparison.Ordinal)
        || type is "application/wasm" or "font/ttf" or "font/otf" or "image/vnd.microsoft.icon" or "image/bmp";
}
