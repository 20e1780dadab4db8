namespace Ashlar.Stack;

/// <summary>Routes and host names: <c>/</c>, <c>/path</c>, <c>host</c>, <c>host/path</c>.</summary>
internal static class RouteText
{
    /// <summary>What a schema says of a host.</summary>
    public const string HostPattern = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$";

    /// <summary>What a schema says of a route.</summary>
    public const string Pattern = "^([A-Za-z0-9][A-Za-z0-9.-]*)?(/[^\\s?#]*)?$";

    /// <summary>The route; or why it is none.</summary>
    public static RouteDefinition? Parse(string text, out string? problem)
    {
        problem = null;
        if (text.Length == 0)
        {
            problem = "it is empty";
            return null;
        }

        var slash = text.IndexOf('/');
        var host = slash < 0 ? text : text[..slash];
        var path = slash < 0 ? "/" : text[slash..];
        if (text.Contains("://"))
        {
            problem = "a route has no scheme";
            return null;
        }

        problem = (host.Length == 0 ? null : HostProblem(host)) ?? PathProblem(path);
        if (problem is not null)
        {
            return null;
        }

        // Whole segments are matched, so a slash at the end would say nothing.
        var prefix = path.Length > 1 ? path.TrimEnd('/') : path;
        return new RouteDefinition(host.Length == 0 ? null : host.ToLowerInvariant(), prefix);
    }

    /// <summary>Why <paramref name="host"/> is no host name; null if it is one (RFC 1123, section 2.1).</summary>
    public static string? HostProblem(string host)
    {
        if (host.Length is 0 or > 253)
        {
            return "a host name has 1 to 253 characters";
        }

        if (host.Contains('*'))
        {
            return "a host name with a wildcard is not built yet";
        }

        if (host.Contains(':'))
        {
            return "a host name has no port here";
        }

        if (host.Any(c => c > 127))
        {
            return "a host name outside ASCII is written in its xn-- form";
        }

        foreach (var label in host.Split('.'))
        {
            var fits = label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-'
                && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
            if (!fits)
            {
                return "a host name is labels of letters, digits and inner hyphens with dots between them";
            }
        }

        return null;
    }

    /// <summary>Why <paramref name="path"/> cannot be a path on the wire (RFC 3986, section 3.3); null if it can.</summary>
    public static string? PathProblem(string path)
    {
        if (path.Length > 2000)
        {
            return "a path has at most 2000 characters";
        }

        if (!path.StartsWith('/'))
        {
            return "a path begins with \"/\"";
        }

        if (path.Any(c => c is <= ' ' or > '~' or '?' or '#' or '\\' or '"' or '<' or '>'))
        {
            return "a path has no spaces, queries, fragments or characters outside ASCII";
        }

        var segments = path.Split('/');
        if (segments.Any(s => s is "." or ".."))
        {
            return "a path has no \".\" or \"..\" in it";
        }

        return path.Contains("//") ? "a path has no empty segment" : null;
    }
}
