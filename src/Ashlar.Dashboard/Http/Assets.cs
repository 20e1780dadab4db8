using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;

namespace Ashlar.Dashboard.Http;

/// <summary>A file of the page.</summary>
/// <param name="Bytes">What it holds.</param>
/// <param name="Type">Its Content-Type.</param>
/// <param name="Tag">Its ETag.</param>
internal sealed record Asset(byte[] Bytes, string Type, string Tag);

/// <summary>The files of the page. They are in the program itself, known by name: there is no folder that a path could climb out of.</summary>
internal sealed class Assets
{
    private const string Prefix = "page/";
    private readonly FrozenDictionary<string, Asset> _files = Load();

    /// <summary>A file by its name below the page's folder: <c>app.js</c>, <c>vendor/uplot.js</c>; null: there is none.</summary>
    public Asset? Find(string name) => _files.GetValueOrDefault(name);

    private static FrozenDictionary<string, Asset> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(name => name[Prefix.Length..], name => Read(assembly, name), StringComparer.Ordinal);
    }

    private static Asset Read(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new Asset(bytes, TypeOf(name), $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}\"");
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
}
