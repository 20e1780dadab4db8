using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Stack;

namespace Ashlar.Delivery.Contents;

/// <summary>What a stack's folder is made of at one moment.</summary>
/// <param name="Tree">Hash of everything that goes into a release.</param>
/// <param name="Services">Hash of what each service is made of, by service: its folder, and all that lies in no service's folder, but for the zones' master files, which only the DNS reads.</param>
/// <param name="Folder">The folder.</param>
/// <param name="Entries">The entries, for a copy.</param>
internal sealed record Content(string Tree, ImmutableSortedDictionary<string, string> Services, string Folder, IReadOnlyList<SourceEntry> Entries);

/// <summary>Hashes a stack's folder: names, kinds, permissions, link targets and contents.</summary>
internal static class ContentHash
{
    /// <summary>Hashes the folder of a stack.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="root">Folder that holds its files.</param>
    /// <param name="cachePath">File of the <see cref="HashCache"/>.</param>
    /// <param name="time">Clock that tells young files.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="Errors.AshlarException">ASH5003: something cannot be read.</exception>
    public static Content Compute(StackDefinition stack, string root, string cachePath, TimeProvider time, CancellationToken cancellation = default)
    {
        var entries = SourceTree.Walk(root, stack.Services.Any(service => service.Build is not null), cancellation);
        var cache = HashCache.Load(cachePath);
        var folders = stack.Services.Select(service => Normal(service.Folder)).Where(folder => folder.Length > 0).Distinct().ToArray();
        var zones = stack.Dns?.Zones.Select(zone => zone.File).OfType<string>().Select(file => Path.GetRelativePath(root, Path.GetFullPath(file, root))).ToHashSet(StringComparer.Ordinal) ?? [];
        using var tree = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var services = stack.Services.Select(service => (service.Name, Folder: Normal(service.Folder), Hash: IncrementalHash.CreateHash(HashAlgorithmName.SHA256))).ToList();
        try
        {
            foreach (var entry in entries)
            {
                cancellation.ThrowIfCancellationRequested();
                if (Describe(root, entry, cache) is not { } line)
                {
                    continue;
                }

                tree.AppendData(line);
                if (zones.Contains(entry.Path))
                {
                    continue;
                }

                var owned = folders.Any(folder => IsWithin(entry.Path, folder));
                foreach (var (_, folder, hash) in services)
                {
                    if (folder.Length == 0 || !owned || IsWithin(entry.Path, folder))
                    {
                        hash.AppendData(line);
                    }
                }
            }

            cache.Save(time);
            return new Content(
                Show(tree), services.ToImmutableSortedDictionary(service => service.Name, service => Show(service.Hash), StringComparer.Ordinal), root, entries);
        }
        finally
        {
            services.ForEach(service => service.Hash.Dispose());
        }
    }

    // One line an entry; null if it has vanished since the walk.
    private static byte[]? Describe(string root, SourceEntry entry, HashCache cache)
    {
        var path = Path.Combine(root, entry.Path);
        try
        {
            var content = entry.Status.Kind switch
            {
                FileKind.File => Convert.ToHexString(cache.Get(entry, () => HashFile(path))),
                FileKind.Link => new FileInfo(path).LinkTarget,
                _ => "",
            };
            return Encoding.UTF8.GetBytes($"{entry.Status.Kind}\0{entry.Path}\0{entry.Status.Permissions & 0x1FF:x}\0{content}\n");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DeliveryErrors.FileUnreadable(path, e is UnauthorizedAccessException ? "permission denied" : e.Message.TrimEnd('.'), e);
        }
    }

    private static byte[] HashFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.SequentialScan);
        return SHA256.HashData(file);
    }

    private static bool IsWithin(string path, string folder) =>
        path.StartsWith(folder, StringComparison.Ordinal) && (path.Length == folder.Length || path[folder.Length] == '/');

    private static string Normal(string folder) =>
        string.Join('/', folder.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != "."));

    private static string Show(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
}
