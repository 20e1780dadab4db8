using Microsoft.Win32.SafeHandles;

namespace Ashlar.Monitoring;

/// <summary>The open files of a store, and the lock of the one process that writes them.</summary>
internal sealed class SeriesFiles : IDisposable
{
    private readonly string _folder;
    private SafeFileHandle? _lock;

    private SeriesFiles(string folder) => _folder = folder;

    public required SafeFileHandle Index { get; init; }

    public required SafeFileHandle Values { get; init; }

    public required SafeFileHandle Histograms { get; init; }

    /// <summary>True: this process writes.</summary>
    public bool IsWriter => _lock is not null;

    /// <summary>When another process last changed the index.</summary>
    public DateTime IndexWritten => File.GetLastWriteTimeUtc(Path.Combine(_folder, "index"));

    /// <exception cref="Errors.AshlarException">ASH7301.</exception>
    public static SeriesFiles Open(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            return new SeriesFiles(folder) { Index = Open(folder, "index"), Values = Open(folder, "values"), Histograms = Open(folder, "histograms") };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw MonitoringErrors.SeriesUnusable(folder, e.Message.TrimEnd('.'), e);
        }
    }

    /// <summary>Becomes the writer if there is none; true if it just became it.</summary>
    public bool TakeLock()
    {
        try
        {
            _lock = File.OpenHandle(Path.Combine(_folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        Index.Dispose();
        Values.Dispose();
        Histograms.Dispose();
        _lock?.Dispose();
    }

    private static SafeFileHandle Open(string folder, string name) =>
        File.OpenHandle(Path.Combine(folder, name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
}
