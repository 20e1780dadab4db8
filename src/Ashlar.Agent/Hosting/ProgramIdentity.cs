using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ashlar.Agent.Hosting;

/// <summary>Tells builds of the program apart: a new one replaces the tiers that run an old one.</summary>
public static class ProgramIdentity
{
    /// <summary>A short text that changes with the program's files (their size and time); the same for the same build.</summary>
    /// <param name="program">Absolute path of the executable.</param>
    public static string Of(string program)
    {
        var folder = Path.GetDirectoryName(program)!;
        var files = Directory.EnumerateFiles(folder, "Ashlar*.dll").Append(Path.Combine(folder, "ashlar.dll")).Append(program)
            .Where(File.Exists).Distinct().Order(StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (var file in files.Select(f => new FileInfo(f)))
        {
            text.Append(CultureInfo.InvariantCulture, $"{file.Name} {file.Length} {file.LastWriteTimeUtc.Ticks}\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];
    }
}
