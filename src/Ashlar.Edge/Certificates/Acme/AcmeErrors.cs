using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Ashlar.Errors;

namespace Ashlar.Edge.Certificates.Acme;

/// <summary>Errors of certificates from an ACME authority: ASH3056 to ASH3059, ASH3083 and ASH3084.</summary>
internal static class AcmeErrors
{
    /// <summary>The authority does not answer.</summary>
    public static AshlarError Unreachable(string authority, string host, string reason) => new(
        "ASH3056", "edge", $"The certificate authority {authority} cannot be reached{For(host)}: {reason}. What is there goes on serving.",
        "See that this machine reaches it, and that edge.tls.authority (and authority_ca, if it is one of your own) is right; it is tried again by itself.");

    /// <summary>The authority could not see that the host is ours.</summary>
    public static AshlarError NotValidated(string authority, string host, string reason) => new(
        "ASH3057", "edge", $"The certificate authority {authority} could not validate {host}: {reason}.",
        $"Point the DNS of {host} at this stack and let port 80 through from the internet; it is tried again by itself.");

    /// <summary>The authority refuses.</summary>
    public static AshlarError Refused(string authority, string host, string reason) => new(
        "ASH3058", "edge", $"The certificate authority {authority} refuses{For(host)}: {reason}.",
        "Do what it says; where it is a limit, wait: it is tried again by itself, and not before the authority allows.");

    /// <summary>What the authority says cannot be understood.</summary>
    public static AshlarError Garbled(string authority, string host, string reason) => new(
        "ASH3059", "edge", $"What the certificate authority {authority} answers{For(host)} is not ACME: {reason}.",
        "See that edge.tls.authority is the address of an ACME directory (RFC 8555).");

    /// <summary>The certificate that the authority's own server is to be known by is none.</summary>
    public static AshlarException AuthorityCaUnusable(string path, string reason) => new(new AshlarError(
        "ASH3083", "edge", $"edge.tls.authority_ca cannot be used: {path}: {reason}.",
        "Name the PEM file with the certificate that the authority's own address is known by, or leave the key out where the system knows it."));

    /// <summary>What the authority issued is not what was asked for.</summary>
    public static AshlarError Unusable(string authority, string host, string reason) => new(
        "ASH3084", "edge", $"The certificate that the certificate authority {authority} issued for {host} is not used: {reason}. What is there goes on serving.",
        "See that this machine's clock is right (timedatectl), then tell those who run the authority; it is tried again by itself.");

    /// <summary>From when until when a certificate is good.</summary>
    public static string Life(X509Certificate2 certificate) => string.Create(
        CultureInfo.InvariantCulture, $"is good from {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC");

    private static string For(string host) => host.Length == 0 ? "" : $" for {host}";
}
