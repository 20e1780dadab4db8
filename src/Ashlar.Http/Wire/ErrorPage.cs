using System.Text;

namespace Ashlar.Http.Wire;

/// <summary>
/// The edge's own answers: a small page that names the tier, the cause and the request's id, so that a person can find
/// the request in the log. Errors are rare: these may allocate.
/// </summary>
public static class ErrorPage
{
    /// <summary>Makes the whole response.</summary>
    /// <param name="problem">What happened.</param>
    /// <param name="requestId">The request's id, or empty when there is none yet.</param>
    /// <param name="dateLine">A Date line with its CRLF, by <see cref="DateLine"/>.</param>
    /// <param name="service">The service it concerns, or null.</param>
    /// <param name="keepAlive">Whether the connection lives on; never after a request that could not be read to its end.</param>
    /// <param name="version">Version of the client's request: 11 or 10.</param>
    /// <param name="bodiless">Whether the request was HEAD.</param>
    /// <param name="retryAfter">Seconds for Retry-After (RFC 9110 section 10.2.3), or 0 for none.</param>
    public static byte[] Response(
        HttpProblem problem,
        ReadOnlySpan<byte> requestId,
        ReadOnlySpan<byte> dateLine,
        string? service = null,
        bool keepAlive = false,
        int version = 11,
        bool bodiless = false,
        int retryAfter = 0)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var id = Encoding.ASCII.GetString(requestId);
        var page = Page(problem, id, service);
        var head = new StringBuilder()
            .Append("HTTP/1.1 ").Append(problem.Status).Append(' ').Append(problem.Title).Append("\r\n")
            .Append(Encoding.ASCII.GetString(dateLine))
            .Append("Content-Type: text/html; charset=utf-8\r\nContent-Length: ").Append(Encoding.UTF8.GetByteCount(page))
            .Append("\r\nCache-Control: no-store\r\n");
        if (retryAfter > 0)
        {
            head.Append("Retry-After: ").Append(retryAfter).Append("\r\n");
        }

        if (id.Length > 0)
        {
            head.Append("X-Request-Id: ").Append(id).Append("\r\n");
        }

        if (keepAlive != (version == 11))
        {
            head.Append(keepAlive ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
        }

        head.Append("\r\n");
        return Encoding.UTF8.GetBytes(bodiless ? head.ToString() : head.Append(page).ToString());
    }

    private static string Page(HttpProblem problem, string id, string? service)
    {
        var about = service is null ? "" : $"<p>Service: {Escape(service)}</p>\n";
        var request = id.Length == 0 ? "" : $"<p>Request: {Escape(id)}</p>\n";
        return $"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <title>{problem.Status} {problem.Title}</title>
            <h1>{problem.Status} {problem.Title}</h1>
            <p>{Escape(problem.Reason)}</p>
            {about}{request}<p>{problem.Code}, answered by the edge.</p>
            </html>

            """;
    }

    private static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("\"", "&quot;", StringComparison.Ordinal);
}
