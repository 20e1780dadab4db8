using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Ashlar.Dashboard.Http;

/// <summary>Who may ask at all, whatever they know: by the Host they use and by the page that makes them ask. Pure.</summary>
/// <param name="listen">Address of <c>dashboard.listen</c>; null: loopback only.</param>
internal sealed class Gate(IPAddress? listen)
{
    /// <summary>
    /// True: the Host is <c>localhost</c> or an address that we listen on. A name of a foreign domain that its owner has pointed at this
    /// machine (DNS rebinding) is never one of them.
    /// </summary>
    public bool IsOurHost(HostString host)
    {
        if (!host.HasValue || host.Value.Contains('@'))
        {
            return false;
        }

        var name = host.Host;
        if (name.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        return IPAddress.TryParse(name.Trim('[', ']'), out var address) && name.IndexOfAny('.', ':') >= 0
            && (IPAddress.IsLoopback(address) || address.Equals(listen) || IPAddress.Any.Equals(listen) || IPAddress.IPv6Any.Equals(listen));
    }

    /// <summary>
    /// True: a page of ours asks, or no page at all. Browsers say where a request comes from by Origin and by Sec-Fetch-Site, which
    /// scripts cannot set; programs that are no browsers send neither.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="writes">True: it must say so by its Origin.</param>
    public static bool IsOurPage(HttpRequest request, bool writes)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0 && site != "same-origin")
        {
            return false;
        }

        var origin = request.Headers[HeaderNames.Origin].ToString();
        return origin.Length == 0 ? !writes : IsOrigin(origin, request.Host.Value);
    }

    // A tunnel or a proxy with TLS in front changes the scheme and nothing else.
    private static bool IsOrigin(string origin, string? host) =>
        origin.Equals($"http://{host}", StringComparison.OrdinalIgnoreCase) || origin.Equals($"https://{host}", StringComparison.OrdinalIgnoreCase);
}
