namespace Ashlar.Http.Wire;

/// <summary>The edge's own answer to OPTIONS with <c>Max-Forwards: 0</c> (RFC 9110 sections 7.6.2 and 9.3.7).</summary>
public static class OptionsAnswer
{
    /// <summary>A complete response without Date.</summary>
    public static ReadOnlySpan<byte> Response =>
        "HTTP/1.1 200 OK\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\nContent-Length: 0\r\nVia: 1.1 ashlar\r\n\r\n"u8;
}
