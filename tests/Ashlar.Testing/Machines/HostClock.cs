using System.Globalization;

namespace Ashlar.Testing.Machines;

/// <summary>A host's wall clock: libfaketime in the programs of the host, led by a file.</summary>
internal sealed class HostClock(string path)
{
    private string? _library;

    /// <summary>From now on it is wrong by this.</summary>
    public void Set(TimeSpan offset)
    {
        _library ??= Directory.EnumerateDirectories("/usr/lib").Select(folder => Path.Combine(folder, "faketime/libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
            ?? throw new PlatformNotSupportedException("libfaketime is not installed (package faketime).");
        // By a rename: who reads it meets the old offset or the new one.
        File.WriteAllText(path + ".new", offset.TotalSeconds.ToString("+0.######;-0.######", CultureInfo.InvariantCulture) + "\n");
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>The environment of a program of the host.</summary>
    public Dictionary<string, string?> Environment(IReadOnlyDictionary<string, string?>? own)
    {
        var all = new Dictionary<string, string?>(own ?? new Dictionary<string, string?>(), StringComparer.Ordinal);
        if (_library is not null)
        {
            all["LD_PRELOAD"] = _library;
            all["FAKETIME_TIMESTAMP_FILE"] = path;
            all["FAKETIME_CACHE_DURATION"] = "1";
            all["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        }
        return all;
    }
}
