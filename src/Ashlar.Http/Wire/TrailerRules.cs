namespace Ashlar.Http.Wire;

/// <summary>
/// Which trailers pass (RFC 9110 section 6.5.1): none that frames, routes, authenticates or describes the message, for an
/// app that merges trailers into its header table would believe it. Every name the proxy knows is of that kind, and a
/// name with <c>_</c> may be taken for one.
/// </summary>
internal static class TrailerRules
{
    /// <summary>Whether a trailer of this name is passed on, as a trailer.</summary>
    public static bool MayPass(ReadOnlySpan<byte> name) =>
        KnownHeaders.Recognise(name) == KnownHeader.None && !name.Contains((byte)'_');
}
