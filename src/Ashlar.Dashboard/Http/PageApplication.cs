using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Dashboard.Live;
using Ashlar.Monitoring;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ashlar.Dashboard.Http;

/// <summary>Answers every request: first whether it may be asked, then the few paths that there are.</summary>
internal sealed class PageApplication(DashboardOptions options, LiveFeed feed, SeriesStore? series, TimeProvider time)
{
    /// <summary>All that needs the cookie lies below it, so that browsers give it to nobody else on this address.</summary>
    public const string Root = "/dashboard/";

    private const string AssetPath = Root + "assets/";
    private const string Bearer = "Bearer ";
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);
    private static readonly Node Machine = new() { Id = "machine", Kind = "machine", Title = "machine", Service = "machine" };
    private readonly Assets _assets = new();
    private readonly Gate _gate = new(options.Listen);
    private readonly Session _session = new(options.Token, time);
    private readonly SignInRoom _signingIn = new();
    private readonly WrongAttempts _attempts = new(time);
    private readonly LogReader _logs = new(options);

    /// <summary>Answers one.</summary>
    public Task AnswerAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        Protect(response);
        if (!_gate.IsOurHost(request.Host))
        {
            return RefuseAsync(response, StatusCodes.Status421MisdirectedRequest,
                "This address is not one of the dashboard. Use the one that ashlar dashboard prints.");
        }

        var path = request.Path.Value ?? "";
        return (request.Method, path) switch
        {
            ("GET" or "HEAD", "/" or "/dashboard") => RedirectAsync(response),
            ("GET" or "HEAD", Root) => SendAsync(context, IsSignedIn(request) ? "index.html" : "signin.html"),
            ("GET" or "HEAD", _) when path.StartsWith(AssetPath, StringComparison.Ordinal) => SendAssetAsync(context, path[AssetPath.Length..]),
            ("GET", "/metrics") => MetricsAsync(context),
            (_, Root + "session") => SessionAsync(context),
            ("GET", Root + "live") => SignedIn(context, LiveAsync),
            ("GET", Root + "series") => SignedIn(context, SeriesAsync),
            ("GET", Root + "log") => SignedIn(context, LogAsync),
            ("GET", Root + "slowest") => SignedIn(context, SlowestAsync),
            ("GET", Root + "jobs") => SignedIn(context, JobsAsync),
            ("GET", Root + "cache") => SignedIn(context, CacheAsync),
            ("GET" or "HEAD", _) => RefuseAsync(response, StatusCodes.Status404NotFound, "There is nothing here."),
            _ => RefuseAsync(response, StatusCodes.Status405MethodNotAllowed, "The dashboard shows; it changes nothing."),
        };
    }

    private static void Protect(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.XFrameOptions = "DENY";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()";
        headers.CacheControl = "no-store";
    }

    private bool IsSignedIn(HttpRequest request) => _session.IsSession(request.Cookies[_session.Cookie]);

    private Task SignedIn(HttpContext context, Func<HttpContext, Task> answer) =>
        !Gate.IsOurPage(context.Request, writes: false) ? RefuseAsync(context.Response, StatusCodes.Status403Forbidden, "Only the dashboard's own page may ask this.")
        : !IsSignedIn(context.Request) ? RefuseAsync(context.Response, StatusCodes.Status401Unauthorized, "Run ashlar dashboard and open the address that it prints.")
        : answer(context);

    private static Task RedirectAsync(HttpResponse response)
    {
        // Browsers keep what stands behind #.
        response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        response.Headers.Location = Root;
        return Task.CompletedTask;
    }

    private Task SendAsync(HttpContext context, string name)
    {
        context.Response.StatusCode = name == "index.html" ? StatusCodes.Status200OK : StatusCodes.Status401Unauthorized;
        return WriteAsync(context, _assets.Find(name)!);
    }

    private Task SendAssetAsync(HttpContext context, string name)
    {
        if (_assets.Find(name) is not { } asset || name.EndsWith(".html", StringComparison.Ordinal))
        {
            return RefuseAsync(context.Response, StatusCodes.Status404NotFound, "There is nothing here.");
        }

        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.ETag = asset.Tag;
        if (context.Request.Headers.IfNoneMatch == asset.Tag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        return WriteAsync(context, asset);
    }

    private static async Task WriteAsync(HttpContext context, Asset asset)
    {
        context.Response.ContentType = asset.Type;
        context.Response.ContentLength = asset.Bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.BodyWriter.WriteAsync(asset.Bytes, context.RequestAborted);
        }
    }

    private Task SessionAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        var writes = !HttpMethods.IsGet(request.Method);
        if (!Gate.IsOurPage(request, writes))
        {
            return RefuseAsync(response, StatusCodes.Status403Forbidden, "Only the dashboard's own page may ask this.");
        }

        switch (request.Method)
        {
            case "GET":
                response.StatusCode = IsSignedIn(request) ? StatusCodes.Status204NoContent : StatusCodes.Status401Unauthorized;
                return Task.CompletedTask;
            case "POST":
                return SignInAsync(context);
            case "DELETE":
                response.Cookies.Delete(_session.Cookie, CookieOptions(TimeSpan.Zero));
                response.StatusCode = StatusCodes.Status204NoContent;
                return Task.CompletedTask;
            default:
                return RefuseAsync(response, StatusCodes.Status405MethodNotAllowed, "GET, POST or DELETE.");
        }
    }

    private async Task SignInAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (request.ContentType is not { } type || !type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            await RefuseAsync(response, StatusCodes.Status415UnsupportedMediaType, "application/json.");
            return;
        }

        // Who sends a token in pieces gives way to who comes later.
        using var place = _signingIn.Enter(context.RequestAborted);
        string? token;
        try
        {
            token = (await JsonSerializer.DeserializeAsync(request.Body, PageJson.Default.SignIn, place.Token))?.Token;
        }
        catch (JsonException)
        {
            token = null;
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await RefuseAsync(response, StatusCodes.Status408RequestTimeout, "The token did not come in time.");
            context.Abort();
            return;
        }
        catch (BadHttpRequestException e)
        {
            await RefuseAsync(response, e.StatusCode, "The request is not understood.");
            return;
        }

        place.Dispose();
        if (await IsRightAsync(context, token))
        {
            response.Cookies.Append(_session.Cookie, _session.Begin(), CookieOptions(Session.Life));
            response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    private static CookieOptions CookieOptions(TimeSpan life) =>
        new() { HttpOnly = true, SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Strict, Path = Root, MaxAge = life };

    private async Task<bool> IsRightAsync(HttpContext context, string? token)
    {
        // The token cannot be guessed in any number of tries; wrong ones are slowed down so that they cost us little.
        if (_session.IsToken(token ?? ""))
        {
            return true;
        }

        if (await _attempts.WaitAsync(AddressOf(context), context.RequestAborted))
        {
            await RefuseAsync(context.Response, StatusCodes.Status401Unauthorized, "The token is not the one of this stack. Run ashlar dashboard.");
        }
        else
        {
            context.Response.Headers.RetryAfter = "1";
            await RefuseAsync(context.Response, StatusCodes.Status429TooManyRequests, "Too many wrong tokens at once.");
        }

        return false;
    }

    // The edge writes this header anew; without it, somebody on this machine has come past the edge.
    private static IPAddress AddressOf(HttpContext context) =>
        IPAddress.TryParse(context.Request.Headers["X-Real-IP"].ToString(), out var address) ? address : context.Connection.RemoteIpAddress ?? IPAddress.None;

    private async Task MetricsAsync(HttpContext context)
    {
        var given = context.Request.Headers.Authorization.ToString();
        if (!given.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"ashlar\"";
            await RefuseAsync(context.Response, StatusCodes.Status401Unauthorized, "Give the token as Authorization: Bearer. Run ashlar dashboard.");
            return;
        }

        if (await IsRightAsync(context, given[Bearer.Length..].Trim()))
        {
            var buffer = new ArrayBufferWriter<byte>(16 * 1024);
            feed.WriteMetrics(buffer);
            context.Response.ContentType = PrometheusText.ContentType;
            context.Response.ContentLength = buffer.WrittenCount;
            await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
        }
    }

    private async Task LiveAsync(HttpContext context)
    {
        using var stream = feed.TryOpen();
        if (stream is null)
        {
            context.Response.Headers.RetryAfter = "5";
            await RefuseAsync(context.Response, StatusCodes.Status503ServiceUnavailable, "Too many pages are open.");
            return;
        }

        context.Response.ContentType = "text/event-stream";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var output = context.Response.BodyWriter;
        await output.WriteAsync("retry: 1000\n\n"u8.ToArray(), context.RequestAborted);
        while (await stream.NextAsync(Beat, context.RequestAborted) is { } frame)
        {
            output.Write(frame.Span);
            await output.FlushAsync(context.RequestAborted);
        }
    }

    private async Task SeriesAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var node = query["node"].ToString();
        if (((await feed.LatestAsync()).Nodes.FirstOrDefault(n => n.Id == node) ?? (node == Machine.Id ? Machine : null)) is not { } found || SeriesRange.Find(query["range"].ToString()) is not { } range)
        {
            await RefuseAsync(context.Response, StatusCodes.Status404NotFound, "There is no such series.");
            return;
        }

        var answer = series is null
            ? SeriesAnswer.Nothing
            : SeriesQuestion.Ask(series, found, range, time.GetUtcNow(), EventFile.Read(options.Events, time.GetUtcNow() - range.Length));
        await JsonAsync(context, answer, PageJson.Default.SeriesAnswer);
    }

    private async Task LogAsync(HttpContext context)
    {
        var known = (await feed.LatestAsync()).Logs;
        var parts = new List<LogPart>();
        foreach (var wanted in context.Request.Query["of"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries).Take(LogReader.MostAtOnce))
        {
            // web.1:1234: what stands behind the byte that was read last; -1: its end.
            var colon = wanted.LastIndexOf(':');
            var name = colon < 0 ? wanted : wanted[..colon];
            var after = colon >= 0 && long.TryParse(wanted.AsSpan(colon + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var at) ? at : -1;
            if (!known.Contains(name))
            {
                await RefuseAsync(context.Response, StatusCodes.Status404NotFound, "There is no such log.");
                return;
            }

            parts.Add(_logs.Read(name, after));
        }

        await JsonAsync(context, new LogAnswer([.. parts]), PageJson.Default.LogAnswer);
    }

    private Task SlowestAsync(HttpContext context) => JsonAsync(context, SlowRequests.Read(options.AccessLog, time.GetUtcNow()), PageJson.Default.SlowAnswer);

    private Task JobsAsync(HttpContext context) => JsonAsync(context, JobsReader.Read(options.Jobs), PageJson.Default.JobsPage);

    private async Task CacheAsync(HttpContext context) =>
        await JsonAsync(context, await CacheQuestion.AskAsync(options.WatchSocket, context.RequestAborted), PageJson.Default.CachePage);

    private static async Task JsonAsync<T>(HttpContext context, T answer, JsonTypeInfo<T> type)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(answer, type);
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = bytes.Length;
        await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted);
    }

    private static async Task RefuseAsync(HttpResponse response, int status, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text + "\n");
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(response.HttpContext.Request.Method))
        {
            await response.BodyWriter.WriteAsync(bytes, response.HttpContext.RequestAborted);
        }
    }
}
