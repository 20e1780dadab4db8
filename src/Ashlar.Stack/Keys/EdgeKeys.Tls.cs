namespace Ashlar.Stack;

/// <summary>Keys of the edge, by what they are of.</summary>
internal static partial class EdgeKeys
{
    /// <summary><c>edge.tls</c>.</summary>
    public static readonly StackKey Tls = new(
        "tls",
        new MapShape(
            [
                new("authority", new TextShape("^(local|letsencrypt|https://.+)$"), "Who issues the certificates: local (the stack's own authority), letsencrypt, or the address of another ACME directory. Names that no public authority may certify (localhost, .test, .internal) always get a local one.", "local"),
                new("authority_ca", new TextShape(), "PEM file with the certificate that the ACME directory's own address is known by, where the system does not know it."),
                new("email", new TextShape("^[^@\\s]+@[^@\\s]+$"), "Address that the authority may write to."),
                new("redirect", new BooleanShape(), "Whether plain HTTP is redirected to HTTPS for the hosts that have a certificate.", "true"),
                new("hsts", new DurationShape(TimeSpan.Zero, TimeSpan.FromDays(3650)), "Time for which browsers shall use HTTPS alone for these hosts (Strict-Transport-Security). Without it, nothing is said."),
            ]),
        "Certificates, and what is said about HTTPS.");

    /// <summary><c>edge.canonical</c>.</summary>
    public static readonly StackKey Canonical = new(
        "canonical", new TextShape(RouteText.HostPattern), "One of the domains; requests for the others are redirected to it. Without it, all are served alike.");
}
