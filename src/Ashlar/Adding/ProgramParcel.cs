using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Ashlar.Agent.Hosting;

namespace Ashlar.Adding;

/// <summary>The program as it is sent to another host: a packaged release, or the folder of the one that runs.</summary>
/// <param name="archive">A packaged release; null: the folder.</param>
/// <param name="program">Absolute path of the program that runs.</param>
internal sealed class ProgramParcel(string? archive, string program)
{
    private const int NameLength = 16;

    /// <summary>A name that is the same for the same program.</summary>
    public string Name { get; } = archive is null ? ProgramIdentity.Of(program) : HashOf(archive);

    /// <summary>True: it brings .NET with it.</summary>
    public bool IsSelfContained { get; } = archive is not null || File.Exists(Path.Combine(Path.GetDirectoryName(program)!, "libcoreclr.so"));

    /// <summary>Folders at the head of each path that are to be left out.</summary>
    public int Strip => archive is null ? 0 : 1;

    /// <summary>Writes it as a compressed tar.</summary>
    public async Task WriteAsync(Stream stream, CancellationToken cancellation)
    {
        if (archive is not null)
        {
            await using var file = File.OpenRead(archive);
            await file.CopyToAsync(stream, cancellation);
            return;
        }

        await using var packed = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
        await TarFile.CreateFromDirectoryAsync(Path.GetDirectoryName(Path.GetFullPath(program))!, packed, includeBaseDirectory: false, cancellation);
    }

    private static string HashOf(string archive)
    {
        try
        {
            using var file = File.OpenRead(archive);
            return Convert.ToHexStringLower(SHA256.HashData(file))[..NameLength];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CliErrors.NotPossible($"the package {archive} cannot be read: {e.Message.TrimEnd('.')}.", "./ashlar package makes one in a checkout of the sources.");
        }
    }
}
