using System.Collections.Immutable;

namespace Ashlar.Stack;

/// <summary>Reads <c>edge</c>.</summary>
internal static partial class EdgeReader
{
    private const string LetsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";

    public static EdgeDefinition Read(Section? s, ImmutableArray<string> domains, Report report)
    {
        var defaults = new EdgeDefinition();
        return s is null ? defaults : Listen(s, defaults, report) with
        {
            Tls = s.Map("tls") is { } tls ? Tls(tls, report) : defaults.Tls,
            Cache = EdgeCacheReader.Read(s, report),
            Canonical = s.Text("canonical", text => domains.Contains(text.ToLowerInvariant()), "one of the stack's domains")?.ToLowerInvariant(),
            Web = WebReader.Read(s, report),
        };
    }

    private static EdgeDefinition Listen(Section s, EdgeDefinition defaults, Report report) => s.Node("listen") switch
    {
        null => defaults,
        ScalarNode => defaults with { Http = StackFileReader.Listen(s, "listen", report) ?? defaults.Http },
        _ when s.Map("listen") is { } map => defaults with
        {
            Http = StackFileReader.Listen(map, "http", report) ?? defaults.Http,
            Https = StackFileReader.Listen(map, "https", report),
        },
        _ => defaults,
    };

    private static TlsDefinition Tls(Section s, Report report)
    {
        var defaults = new TlsDefinition();
        report.Places[s.Full("authority_ca")] = s.Place("authority_ca");
        return new TlsDefinition
        {
            Authority = s.Text("authority", IsAuthority, "local, letsencrypt or the https:// address of an ACME directory") switch
            {
                null or "local" => null,
                "letsencrypt" => LetsEncrypt,
                var address => address,
            },
            AuthorityCa = s.Text("authority_ca", expected: "the path of a PEM file"),
            Email = s.Text("email", text => text.Count(c => c == '@') == 1 && !text.Any(char.IsWhiteSpace), "an e-mail address"),
            Redirect = s.Boolean("redirect") ?? defaults.Redirect,
            Hsts = s.Time("hsts") ?? defaults.Hsts,
        };
    }

    private static bool IsAuthority(string text) =>
        text is "local" or "letsencrypt" || (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps);
}
