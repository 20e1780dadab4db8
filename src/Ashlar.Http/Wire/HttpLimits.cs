namespace Ashlar.Http.Wire;

/// <summary>What a message may cost before it is refused. All sizes are bytes.</summary>
public sealed record HttpLimits
{
    /// <summary>The limits used when nothing else is said.</summary>
    public static HttpLimits Default { get; } = new();

    /// <summary>Longest request line without its CRLF; beyond it the answer is 414.</summary>
    public int MaxRequestLine { get; init; } = 16 * 1024;

    /// <summary>Longest head: start line, fields, line ends and the empty line; beyond it the answer is 431.</summary>
    public int MaxHeadBytes { get; init; } = 32 * 1024;

    /// <summary>Most field lines in a head; beyond it the answer is 431.</summary>
    public int MaxHeaders { get; init; } = 100;

    /// <summary>Longest trailer section of a chunked body; beyond it the answer is 431.</summary>
    public int MaxTrailerBytes { get; init; } = 8 * 1024;

    /// <summary>Most field lines in a trailer section; beyond it the answer is 431.</summary>
    public int MaxTrailers { get; init; } = 32;

    /// <summary>Longest extension of one chunk; beyond it the answer is 400.</summary>
    public int MaxChunkExtension { get; init; } = 256;

    /// <summary>Most bytes of extensions in one body: a stream of tiny chunks with long extensions is an attack.</summary>
    public int MaxChunkExtensionsTotal { get; init; } = 16 * 1024;
}
