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

    /// <summary>The URL that is meant: a path alone is on the stack's first address, and without a scheme it is http.</summary>
    /// <exception cref="Errors.AshlarException">ASH6012: it is none of http or https.</exception>
    public static Uri UrlOf(string verb, string target, StatusReport stack)
    {
        if (target.StartsWith('/'))
        {
            target = (stack.Urls is [var first, ..] ? first.TrimEnd('/') : throw CliErrors.Usage(verb, "the stack has no address of its own: give a whole URL.")) + target;
        }
        else if (!target.Contains("://", StringComparison.Ordinal))
        {
            target = $"http://{target}";
        }

        return Uri.TryCreate(target, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? url : throw CliErrors.Usage(verb, $"'{target}' is no URL of http or https.");
    }
}
