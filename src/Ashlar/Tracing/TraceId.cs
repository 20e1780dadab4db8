using System.Security.Cryptography;

namespace Ashlar.Tracing;

/// <summary>The id of a trace, and how a request says it (W3C Trace Context, section 3.2).</summary>
/// <param name="Id">32 hexadecimal digits.</param>
/// <param name="Span">16 hexadecimal digits: our part of it.</param>
internal sealed record TraceId(string Id, string Span)
{
    /// <summary>A new one.</summary>
    public static TraceId New() => new(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));

    /// <summary>The field's value: version 00, sampled.</summary>
    public string Parent => $"00-{Id}-{Span}-01";

    /// <summary>True: it could be one.</summary>
    public static bool IsId(string text) => text.Length == 32 && text.All(char.IsAsciiHexDigitLower);
}
