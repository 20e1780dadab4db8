using System.Collections.Immutable;

namespace Ashlar.Engines.Redis;

/// <summary>Kinds of answers of RESP2 (redis.io, "RESP protocol description").</summary>
internal enum RespKind
{
    /// <summary>A short text: <c>+PONG</c>.</summary>
    Text,

    /// <summary>A refusal: <c>-LOADING …</c>.</summary>
    Error,

    /// <summary>A number: <c>:42</c>.</summary>
    Number,

    /// <summary>Any bytes: <c>$5</c>; read as UTF-8.</summary>
    Bulk,

    /// <summary>A list of answers: <c>*2</c>.</summary>
    List,

    /// <summary>Nothing: <c>$-1</c>, <c>*-1</c>.</summary>
    Null,
}

/// <summary>One answer.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">Of a text, an error or a bulk.</param>
/// <param name="Number">Of a number.</param>
/// <param name="Items">Of a list.</param>
internal sealed record RespValue(RespKind Kind, string Text = "", long Number = 0, ImmutableArray<RespValue> Items = default)
{
    /// <summary>The answer that is none.</summary>
    public static RespValue Null { get; } = new(RespKind.Null);

    /// <summary>True of an error whose first word is this one: <c>LOADING</c>.</summary>
    public bool IsError(string word) =>
        Kind == RespKind.Error && (Text == word || Text.StartsWith($"{word} ", StringComparison.Ordinal));
}

/// <summary>What was received is not RESP2, or larger than we take.</summary>
internal sealed class RespException(string message) : Exception(message);
