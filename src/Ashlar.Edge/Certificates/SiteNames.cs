using System.Collections.Immutable;
using System.Net;
using Ashlar.Stack;

namespace Ashlar.Edge.Certificates;

/// <summary>A host that needs a certificate.</summary>
/// <param name="Name">The host, lower-case.</param>
/// <param name="Names">All that its certificate is for.</param>
/// <param name="IsPublic">True: a public authority may certify it (CA/Browser Forum baseline requirements 4.2.2).</param>
public sealed record Site(string Name, ImmutableArray<string> Names, bool IsPublic);

/// <summary>The hosts of a stack that need a certificate.</summary>
public static class SiteNames
{
    private const string Localhost = "localhost";

    // RFC 6761, RFC 6762, RFC 8375, and ICANN's reservation of .internal: nobody can own a name below them.
    private static readonly string[] _local = ["localhost", "test", "local", "internal", "invalid", "home.arpa", "lan", "onion"];

    /// <summary>The sites; the first is shown where a client asks for no name. None where the stack speaks no TLS.</summary>
    public static ImmutableArray<Site> Of(StackDefinition stack)
    {
        if (stack.Edge.Https is not { } listen)
        {
            return [];
        }

        var hosts = stack.Domains.Concat(stack.Services.SelectMany(static service => service.Routes).Select(static route => route.Host).OfType<string>())
            .Select(static host => host.ToLowerInvariant()).Where(static host => host != Localhost).Distinct();
        IEnumerable<string> here = [Localhost, "*.localhost", "127.0.0.1", "::1"];
        var address = IPAddress.Parse(listen.Address);
        if (!IPAddress.IsLoopback(address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any))
        {
            here = here.Append(address.ToString());
        }

        return [.. hosts.Select(static host => new Site(host, [host], IsPublic(host))), new Site(Localhost, [.. here], IsPublic: false)];
    }

    /// <summary>True if a public authority may certify this host.</summary>
    public static bool IsPublic(string host) =>
        host.Contains('.') && !IPAddress.TryParse(host, out _)
        && !_local.Any(suffix => host.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) && (host.Length == suffix.Length || host[^(suffix.Length + 1)] == '.'));
}
