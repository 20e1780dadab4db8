using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ashlar.Monitoring;

/// <summary>
/// The events of a stack in a file of at most 1 MiB, a JSON object a line. When it is full the older half is left out.
/// </summary>
/// <remarks>
/// The folder may belong to a less privileged user than the writer. So nothing found under the file's name is written to or through:
/// each writer begins a new file, with what the old one held that is an event, and puts it in place by a rename.
/// </remarks>
public sealed class EventFile : IDisposable
{
    /// <summary>Most bytes of the file.</summary>
    public const int MostBytes = 1 << 20;

    private const int MostText = 2000;
    private readonly Lock _gate = new();
    private readonly string _path;
    private FileStream? _file;

    /// <summary>A writer; the file is made with the first event.</summary>
    /// <param name="path">The stack's <c>.ashlar/run/events.log</c>.</param>
    public EventFile(string path) => _path = path;

    /// <summary>Writes an event.</summary>
    /// <returns>False: it could not be written, and is lost.</returns>
    public bool Add(StackEvent happened)
    {
        var text = happened.Text.Length <= MostText ? happened.Text : happened.Text[..MostText];
        var line = Line(happened with { Text = text });
        lock (_gate)
        {
            try
            {
                if (_file is null || _file.Length + line.Length > MostBytes)
                {
                    _file?.Dispose();
                    _file = null;
                    _file = BeginAnew();
                }

                _file.Write(line);
                _file.Flush();
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }

    /// <summary>Reads the events, oldest first. Lines that are none are left out; a file that is not there has none.</summary>
    /// <param name="path">The stack's <c>.ashlar/run/events.log</c>.</param>
    /// <param name="from">Events before it are left out.</param>
    public static ImmutableArray<StackEvent> Read(string path, DateTimeOffset from = default)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[(int)Math.Min(file.Length, MostBytes)];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return [.. Parse(bytes.AsMemory(0, length)).Where(happened => happened.At >= from).OrderBy(happened => happened.At)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_gate)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    private FileStream BeginAnew()
    {
        var kept = Read(_path).Select(Line).ToArray();
        var temporary = $"{_path}.{Environment.ProcessId}.tmp";
        File.Delete(temporary);
        var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete);
        try
        {
            var room = MostBytes / 2;
            var first = kept.Length;
            while (first > 0 && room >= kept[first - 1].Length)
            {
                room -= kept[--first].Length;
            }

            foreach (var line in kept[first..])
            {
                file.Write(line);
            }

            file.Flush();
            File.Move(temporary, _path, overwrite: true);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static byte[] Line(StackEvent happened) => [.. JsonSerializer.SerializeToUtf8Bytes(happened, EventJson.Default.StackEvent), (byte)'\n'];

    private static IEnumerable<StackEvent> Parse(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var end = bytes.Span.IndexOf((byte)'\n');
            var line = end < 0 ? bytes : bytes[..end];
            bytes = end < 0 ? default : bytes[(end + 1)..];
            if (ParseLine(line.Span) is { } happened)
            {
                yield return happened;
            }
        }
    }

    private static StackEvent? ParseLine(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, EventJson.Default.StackEvent) is { Kind: not null, Subject: not null, Text: not null } happened ? happened : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StackEvent))]
internal sealed partial class EventJson : JsonSerializerContext;
