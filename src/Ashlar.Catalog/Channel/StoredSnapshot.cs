using System.Text.Json;

namespace Ashlar.Catalog.Channel;

/// <summary>The last snapshot on disk: a tier that starts while no agent runs goes on with it.</summary>
public static class StoredSnapshot
{
    /// <summary>The stored snapshot; null if there is none, or none that can be read.</summary>
    public static CatalogSnapshot? Load(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return JsonSerializer.Deserialize(file, CatalogJson.Default.CatalogSnapshot);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>Stores it by a rename, so that a reader sees the old or the new one whole.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Save(string path, CatalogSnapshot snapshot)
    {
        // Two generations of a tier may store at once.
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(snapshot, CatalogJson.Default.CatalogSnapshot));
        File.Move(temporary, path, overwrite: true);
    }
}
