using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Dns.Wire;

namespace Ashlar.Dns.Stacks;

/// <summary>What a zone said at its last change.</summary>
/// <param name="Content">Hash of its records.</param>
/// <param name="Serial">The serial it had.</param>
internal sealed record KnownSerial(string Content, uint Serial);

/// <summary>
/// Serials that grow with every change of a zone, also where nobody has raised it or a release was rolled back. Health and other machines' addresses are
/// no change: they come and go within a time to live. Pure.
/// </summary>
internal static class Serials
{
    /// <summary>The serial of a zone.</summary>
    /// <param name="zone">The zone.</param>
    /// <param name="before">What it said last; null: it was not known.</param>
    public static KnownSerial Of(StackZone zone, KnownSerial? before)
    {
        var stated = Stated(zone);
        var content = Content(zone);
        return before is null ? new KnownSerial(content, stated)
            : before.Content == content ? before
            : new KnownSerial(content, IsAfter(stated, before.Serial) ? stated : before.Serial + 1);
    }

    /// <summary>True: it comes after the other (RFC 1982, 3.2).</summary>
    public static bool IsAfter(uint serial, uint other) => (int)(serial - other) > 0;

    private static uint Stated(StackZone zone) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(
        zone.Records.First(record => record.Record.Type == RecordType.SOA).Record.Data.Octets[^20..]);

    // Addresses of hosts are not of the content, their names are; a serial that nobody wrote neither.
    private static string Content(StackZone zone) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', zone.Records
        .Select(record => record.Origin == RecordOrigin.Host ? record.Record.Name.ToString()
            : record.Origin == RecordOrigin.Made ? "" : record.Record.ToString())
        .Distinct().Order(StringComparer.Ordinal)))));
}

/// <summary>What the tier keeps for its next start.</summary>
internal sealed record KeptForNext
{
    /// <summary>Serials by zone.</summary>
    public ImmutableSortedDictionary<string, KnownSerial> Serials { get; init => field = value ?? ImmutableSortedDictionary<string, KnownSerial>.Empty; } = ImmutableSortedDictionary<string, KnownSerial>.Empty;

    /// <summary>Last good addresses of names that aliases lead to.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Aliases { get; init => field = value ?? ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty; } =
        ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>Reads it; nothing where it is not there or cannot be read.</summary>
    public static KeptForNext Load(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return JsonSerializer.Deserialize(file, KeptForNextJson.Default.KeptForNext) ?? new KeptForNext();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or NotSupportedException)
        {
            return new KeptForNext();
        }
    }

    /// <summary>Writes it by a rename.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Save(string path)
    {
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(this, KeptForNextJson.Default.KeptForNext));
        File.Move(temporary, path, overwrite: true);
    }
}

[JsonSerializable(typeof(KeptForNext))]
internal sealed partial class KeptForNextJson : JsonSerializerContext;
