using System.Text;
using System.Text.Json;

namespace Ashlar.Http.Wire;

/// <summary>
/// The edge's own answers: a small page, or the same as JSON, that names the tier, the cause and the request's id, so that
/// a person can find the request in the log. The page needs nothing from elsewhere. Errors are rare: these may allocate.
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
    /// <param name="page">The page to show in the place of the edge's own, HTML; null: that one.</param>
    /// <param name="lines">Further lines of the head, each with its CRLF.</param>
    /// <param name="json">Whether the client would rather have JSON, by <see cref="PrefersJson"/>.</param>
    public static byte[] Response(
        HttpProblem problem,
        ReadOnlySpan<byte> requestId,
        ReadOnlySpan<byte> dateLine,
        string? service = null,
        bool keepAlive = false,
        int version = 11,
        bool bodiless = false,
        int retryAfter = 0,
        bool json = false,
        string? page = null,
        ReadOnlySpan<byte> lines = default)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var id = Encoding.ASCII.GetString(requestId);
        var body = json ? Json(problem, id, service) : page ?? Page(problem, id, service);
        var head = new StringBuilder()
            .Append("HTTP/1.1 ").Append(problem.Status).Append(' ').Append(problem.Title).Append("\r\n")
            .Append(Encoding.ASCII.GetString(dateLine))
            .Append("Content-Type: ").Append(json ? "application/json" : "text/html; charset=utf-8")
            .Append("\r\nContent-Length: ").Append(Encoding.UTF8.GetByteCount(body))
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

        head.Append(Encoding.ASCII.GetString(lines)).Append("\r\n");
        return Encoding.UTF8.GetBytes(bodiless ? head.ToString() : head.Append(body).ToString());
    }

    /// <summary>
    /// True if the request's Accept names JSON and does not name HTML before it. A browser names HTML; most programs that talk
    /// to an API name JSON alone. Weights are not looked at.
    /// </summary>
    /// <param name="request">A request that was read whole.</param>
    /// <param name="head">The bytes it was read from.</param>
    public static bool PrefersJson(RequestHead request, ReadOnlySpan<byte> head)
    {
        ArgumentNullException.ThrowIfNull(request);
        foreach (var field in request.Fields)
        {
            if (Ascii.EqualsIgnoreCase(head.Slice(field.NameStart, field.NameLength), "accept"u8))
            {
                var value = head.Slice(field.ValueStart, field.ValueLength);
                var json = value.IndexOf("application/json"u8);
                var html = value.IndexOf("text/html"u8);
                return json >= 0 && (html < 0 || json < html);
            }
        }

        return false;
    }

    private static string Page(HttpProblem problem, string id, string? service)
    {
        var title = problem == HttpProblem.Maintenance ? "Under maintenance" : $"{problem.Status} {problem.Title}";
        var about = service is null ? "" : $"<dt>Service</dt><dd>{Escape(service)}</dd>\n";
        var request = id.Length == 0 ? "" : $"<dt>Request</dt><dd><code>{Escape(id)}</code></dd>\n";
        return $$"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{{title}}</title>
            <style>
            :root { color-scheme: light dark; }
            body { font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto 0; padding: 0 1.5rem; }
            h1 { font-size: 1.5rem; font-weight: 600; }
            dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; font-size: .875rem; opacity: .75; }
            dd { margin: 0; overflow-wrap: anywhere; }
            </style>
            <h1>{{title}}</h1>
            <p>{{Escape(problem.Reason)}}</p>
            <dl>
            {{about}}{{request}}<dt>Answered by</dt><dd>the edge, {{problem.Code}}</dd>
            </dl>
            </html>

            """;
    }

    private static string Json(HttpProblem problem, string id, string? service)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("code", problem.Code);
            json.WriteNumber("status", problem.Status);
            json.WriteString("title", problem.Title);
            json.WriteString("reason", problem.Reason);
            if (service is not null)
            {
                json.WriteString("service", service);
            }

            if (id.Length > 0)
            {
                json.WriteString("request", id);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length) + "\n";
    }

    private static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal)
            .Replace("<", "&lt;", StringComparison.Ordinal)
            .Replace(">", "&gt;", StringComparison.Ordinal)
            .Replace("\"", "&quot;", StringComparison.Ordinal);
}
