using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Ashlar.Edge.Gateways;

/// <summary>The folders with the scripts of a service: that of the release that runs, and for a while that of the one before. Safe on every thread.</summary>
/// <param name="root">Folder below an instance's with the scripts; null: there is one app, and no scripts.</param>
/// <param name="tryFiles">What a path may be.</param>
/// <param name="isCgi">True: every file is a script; else those with .php.</param>
internal sealed class ScriptFolders(string? root, ImmutableArray<string> tryFiles, bool isCgi = false)
{
    private readonly ConcurrentDictionary<string, ScriptFolder> _folders = new(StringComparer.Ordinal);

    /// <summary>That of the instances that were started in a folder.</summary>
    public ScriptFolder In(string folder) =>
        _folders.TryGetValue(folder, out var known) ? known : _folders.GetOrAdd(folder, ScriptFolder.Open(folder, root, tryFiles, isCgi));
}
