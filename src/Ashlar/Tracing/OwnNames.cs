using System.Net;
using Ashlar.Catalog;

namespace Ashlar.Tracing;

/// <summary>The names of the stack's routes: they lead to this machine where the system knows no address of them.</summary>
internal static class OwnNames
{
    /// <summary>The address that a name of the stack has here; null: it is none of the stack's.</summary>
    public static IPAddress? AddressOf(string host, StatusReport stack) =>
        stack.Urls.Any(url => Uri.TryCreate(url, UriKind.Absolute, out var known) && known.Host == host)
        || stack.Tiers.SelectMany(tier => tier.Services).SelectMany(service => service.Routes).Any(route => route.Split('/')[0] == host)
            ? IPAddress.Loopback : null;
}
