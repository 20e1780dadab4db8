namespace Ashlar.Testing;

/// <summary>A folder of a test's own, gone when it ends.</summary>
public sealed class TempFolder : IDisposable
{
    /// <summary>Makes it under the system's temporary folder.</summary>
    public TempFolder(string prefix = "ashlar-test-") => Path = Directory.CreateTempSubdirectory(prefix).FullName;

    /// <summary>Its absolute path.</summary>
    public string Path { get; }

    /// <summary>Writes a file below it, with its folders.</summary>
    public string Write(string relative, string text)
    {
        var path = System.IO.Path.Combine(Path, relative);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <inheritdoc />
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
