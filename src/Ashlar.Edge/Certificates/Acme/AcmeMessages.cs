using System.Collections.Immutable;
using System.Text.Json;

namespace Ashlar.Edge.Certificates.Acme;

/// <summary>The addresses of an authority (RFC 8555 section 7.1.1).</summary>
internal sealed record AcmeDirectory(string NewNonce, string NewAccount, string NewOrder);

/// <summary>An order (section 7.1.3).</summary>
internal sealed record AcmeOrder(string Status, ImmutableArray<string> Authorizations, string Finalize, string? Certificate, AcmeProblem? Problem);

/// <summary>An authorization (section 7.1.4) with the challenge that we meet; null: it offers none by HTTP.</summary>
internal sealed record AcmeAuthorization(string Status, AcmeChallenge? Challenge);

/// <summary>A challenge by HTTP (section 8.3).</summary>
internal sealed record AcmeChallenge(string Url, string Token, string Status, AcmeProblem? Problem);

/// <summary>What an authority says is wrong (RFC 7807, RFC 8555 section 6.7).</summary>
/// <param name="Type">Last part of its URN: <c>badNonce</c>.</param>
/// <param name="Detail">In its own words, made fit for a line.</param>
internal sealed record AcmeProblem(string Type, string Detail);

/// <summary>
/// Reads what an authority says. Strict in what is used, deaf to the rest; nothing of it is taken for more than text of bounded length, and
/// addresses must be of HTTPS.
/// </summary>
internal static class AcmeJson
{
    private const int LongestText = 2048;
    private const int MostItems = 100;
    private static readonly JsonDocumentOptions _options = new() { MaxDepth = 16 };

    public static AcmeDirectory Directory(ReadOnlyMemory<byte> json) => Read(json, static root =>
        new AcmeDirectory(Address(root, "newNonce"), Address(root, "newAccount"), Address(root, "newOrder")));

    public static AcmeOrder Order(ReadOnlyMemory<byte> json) => Read(json, static root => new AcmeOrder(
        Text(root, "status"),
        [.. Items(root, "authorizations").Select(static item => Address(item))],
        Address(root, "finalize"),
        root.TryGetProperty("certificate", out var certificate) ? Address(certificate) : null,
        ProblemIn(root)));

    public static AcmeAuthorization Authorization(ReadOnlyMemory<byte> json) => Read(json, static root => new AcmeAuthorization(
        Text(root, "status"),
        Items(root, "challenges").Where(static item => item.ValueKind == JsonValueKind.Object && Text(item, "type") == "http-01").Select(Challenge).FirstOrDefault()));

    /// <summary>The problem; of another form, what can be said of it.</summary>
    public static AcmeProblem Problem(ReadOnlyMemory<byte> json, int status)
    {
        try
        {
            return Read(json, ProblemOf);
        }
        catch (FormatException)
        {
            return new AcmeProblem("", $"it answered {status}");
        }
    }

    private static AcmeChallenge Challenge(JsonElement item)
    {
        var token = Text(item, "token");
        return token.Length is > 0 and <= 128 && token.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? new AcmeChallenge(Address(item, "url"), token, Text(item, "status"), ProblemIn(item))
            : throw new FormatException("a token is none (RFC 8555 section 8.3)");
    }

    private static AcmeProblem? ProblemIn(JsonElement element) =>
        element.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object ? ProblemOf(error) : null;

    private static AcmeProblem ProblemOf(JsonElement element)
    {
        var type = Optional(element, "type");
        return new AcmeProblem(type[(type.LastIndexOf(':') + 1)..], Line(Optional(element, "detail")));
    }

    // What others write goes into our lines: no control character, no end of line, not too much of it.
    public static string Line(string text)
    {
        var line = new string([.. text.Select(static c => char.IsControl(c) ? ' ' : c)]).Trim().TrimEnd('.');
        return line.Length <= 300 ? line : line[..300] + "…";
    }

    private static T Read<T>(ReadOnlyMemory<byte> json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json, _options);
            return document.RootElement.ValueKind == JsonValueKind.Object ? read(document.RootElement) : throw new FormatException("it is no object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException("it is no JSON", e);
        }
    }

    private static JsonElement.ArrayEnumerator Items(JsonElement element, string name) =>
        element.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() <= MostItems
            ? list.EnumerateArray() : throw new FormatException($"{name} is no list");

    private static string Optional(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Text(JsonElement element, string name) =>
        Optional(element, name) is { Length: > 0 and <= LongestText } text ? text : throw new FormatException($"{name} is missing");

    private static string Address(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? Address(value) : throw new FormatException($"{name} is missing");

    private static string Address(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= LongestText } text && Uri.TryCreate(text, UriKind.Absolute, out var address)
        && address.Scheme == Uri.UriSchemeHttps ? text : throw new FormatException("an address is not one of https");
}
