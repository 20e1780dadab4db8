using System.Collections.Immutable;
using System.Text;
using Ashlar.Processes;

namespace Ashlar.Dashboard;

/// <summary>New lines of one log.</summary>
/// <param name="Name"><c>web.1</c>, <c>agent</c>, or <see cref="LogReader.Access"/>.</param>
/// <param name="End">Where to go on.</param>
/// <param name="Gap">True: lines between the last answer and this one are not shown.</param>
/// <param name="Lines">The lines, oldest first.</param>
internal sealed record LogPart(string Name, long End, bool Gap, ImmutableArray<LogText> Lines);

/// <summary>A line.</summary>
/// <param name="Text">As it was written, cut after some thousand characters.</param>
/// <param name="At">When it was written, in milliseconds since 1970, where that is known.</param>
internal sealed record LogText(string Text, long? At = null);

/// <summary>What the page gets when it asks for logs.</summary>
internal sealed record LogAnswer(ImmutableArray<LogPart> Parts);

/// <summary>Reads what logs have got since the page asked last. It keeps nothing: the page says where it is.</summary>
internal sealed class LogReader(DashboardOptions options)
{
    /// <summary>Name of the edge's log of requests.</summary>
    public const string Access = "requests";

    /// <summary>Logs that may be asked for at once.</summary>
    public const int MostAtOnce = 32;

    private const int FirstLines = 200;
    private const int MostBytes = 128 * 1024;
    private const int LongestLine = 4000;
    private const string OwnTraffic = "\"service\":\"dashboard\"";

    /// <summary>Path of a log. The name is one of the known tree, and never one that a visitor made up.</summary>
    public static string PathOf(DashboardOptions options, string name) =>
        name == Access ? options.AccessLog : Path.Combine(options.Logs, $"{name}.log");

    /// <summary>The lines behind an offset; with -1, or when the log has been cut since, the last ones.</summary>
    public LogPart Read(string name, long after)
    {
        var path = PathOf(options, name);
        try
        {
            var length = LogTail.End(path);
            return after < 0 || after > length ? First(name, path, gap: after > length) : Next(name, path, after, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new LogPart(name, after, false, [new LogText($"This log cannot be read: {e.Message}")]);
        }
    }

    private static LogPart First(string name, string path, bool gap)
    {
        var lines = new LogHistory(path, DateTimeOffset.UtcNow).Last(FirstLines);
        var end = lines.IsEmpty ? LogTail.End(path) : Math.Max(0, lines[^1].End);
        return new LogPart(name, end, gap, [.. lines.Where(l => Shown(name, l.Text)).Select(l => new LogText(Cut(l.Text), l.Time?.ToUnixTimeMilliseconds()))]);
    }

    private static LogPart Next(string name, string path, long after, long length)
    {
        var from = Math.Max(after, length - MostBytes);
        var bytes = new byte[length - from];
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        var read = RandomAccess.Read(file, bytes, from);

        // What has no end yet is read again with its rest, unless it is longer than any line should be.
        var whole = bytes.AsSpan(0, read).LastIndexOf((byte)'\n') + 1;
        if (whole == 0 && read >= LongestLine)
        {
            whole = read;
        }

        var lines = Encoding.UTF8.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return new LogPart(name, from + whole, from > after, [.. lines.Where(line => Shown(name, line)).Select(line => new LogText(Cut(line)))]);
    }

    // Every look at the log of requests would be a line of it.
    private static bool Shown(string name, string line) => name != Access || !line.Contains(OwnTraffic, StringComparison.Ordinal);

    private static string Cut(string line) => line.Length <= LongestLine ? line : line[..LongestLine] + " …";
}
