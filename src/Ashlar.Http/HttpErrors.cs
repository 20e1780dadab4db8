using Ashlar.Errors;

namespace Ashlar.Http;

/// <summary>Errors of the transport that a person can meet: ASH3048 and up.</summary>
internal static class HttpErrors
{
    /// <summary>OpenSSL 3 is not on the machine, or another version of it.</summary>
    public static AshlarException OpenSslMissing(string reason, Exception inner) => new(
        new AshlarError(
            "ASH3048", "edge", $"TLS needs OpenSSL 3 (libssl.so.3 and libcrypto.so.3), which cannot be loaded: {reason}.",
            "Install it (Debian and Ubuntu: apt-get install libssl3), then run the command again."),
        inner);

    /// <summary>Certificate, key or authority cannot be read, or do not belong together.</summary>
    public static AshlarException TlsFilesUnusable(string path, string reason) => new(new AshlarError(
        "ASH3049", "edge", $"TLS cannot use {path}: {reason}.",
        "See that the file is there, readable by the user that the edge runs as, and of one set with the others; then run: ashlar restart edge."));
}
