namespace Ashlar.Logs;

/// <summary>
/// The files that the instances of a stack write, one each (<c>web.1.log</c>). They are read directly, so that logs can be
/// seen when no agent runs.
/// </summary>
internal sealed class LogFolder(string path)
{
    private const string Extension = ".log";

    /// <summary>The logs of the stack in a folder.</summary>
    public static LogFolder Of(string stackFolder) => new(Path.Combine(stackFolder, StackLocation.StateFolder, "logs"));

    /// <summary>Names of the instances that have a log, in order of name; the agent's own is <c>agent</c>.</summary>
    public IReadOnlyList<string> Names()
    {
        if (!Directory.Exists(path)) return [];
        return [.. Directory.EnumerateFiles(path, "*" + Extension).Select(file => Path.GetFileNameWithoutExtension(file)).Order(InstanceOrder.Comparer)];
    }

    /// <summary>Path of an instance's log.</summary>
    public string FileOf(string name) => Path.Combine(path, name + Extension);

    /// <summary>Time of the last line.</summary>
    public DateTimeOffset LastWrite(string name) => new(File.GetLastWriteTimeUtc(FileOf(name)), TimeSpan.Zero);

    /// <summary>True if a target (<c>web</c> or <c>web.1</c>) means this log.</summary>
    public static bool Means(string target, string name) => name == target || name.StartsWith(target + ".", StringComparison.Ordinal);
}

/// <summary>Orders instances as people count: <c>web.2</c> before <c>web.10</c>.</summary>
internal sealed class InstanceOrder : IComparer<string>
{
    /// <summary>The one there is.</summary>
    public static InstanceOrder Comparer { get; } = new();

    /// <inheritdoc />
    public int Compare(string? x, string? y)
    {
        var (left, right) = (Split(x), Split(y));
        var byName = string.CompareOrdinal(left.Name, right.Name);
        return byName != 0 ? byName : left.Index.CompareTo(right.Index);
    }

    private static (string Name, int Index) Split(string? name)
    {
        var dot = name?.LastIndexOf('.') ?? -1;
        return dot > 0 && int.TryParse(name.AsSpan(dot + 1), out var index) ? (name![..dot], index) : (name ?? "", 0);
    }
}
