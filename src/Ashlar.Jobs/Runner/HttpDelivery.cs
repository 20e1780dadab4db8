using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Ashlar.Jobs.Queue;

namespace Ashlar.Jobs.Runner;

/// <summary>
/// Sends a job to a service of the stack by POST, through the service's private door. What the answer means stands in docs/jobs.md.
/// </summary>
internal sealed class HttpDelivery : IDelivery, IDisposable
{
    private const int LongestAnswer = 500;
    private static readonly TimeSpan MostRetryAfter = TimeSpan.FromDays(1);
    private static readonly TimeSpan Unreachable = TimeSpan.FromSeconds(5);
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private readonly WebhookSignature _signature;
    private readonly TimeProvider _time;
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ActivityHeadersPropagator = null,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public HttpDelivery(string secret, TimeProvider time) => (_signature, _time) = (new WebhookSignature(secret), time);

    /// <inheritdoc />
    public async Task<Outcome?> DeliverAsync(QueueSettings queue, Job job, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(queue.Timeout);
        try
        {
            using var request = Request(queue, job);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            return await OutcomeOfAsync(queue, response, deadline.Token);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            return Outcome.Failed(string.Create(CultureInfo.InvariantCulture, $"no answer within {queue.Timeout.TotalSeconds:0.###} s"));
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return new Outcome(Ending.Later, "the service could not be reached", Unreachable);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            return Outcome.Failed($"the connection broke: {e.InnerException?.Message ?? e.Message}");
        }
    }

    /// <inheritdoc />
    public void Dispose() => _client.Dispose();

    /// <summary>Time that an answer asks to wait (RFC 9110, 10.2.3); null: it does not say.</summary>
    internal static TimeSpan? RetryAfter(RetryConditionHeaderValue? value, DateTimeOffset now)
    {
        var span = value?.Delta ?? (value?.Date is { } date ? date - now : null);
        return span is { } wait ? (wait < TimeSpan.Zero ? TimeSpan.Zero : wait > MostRetryAfter ? MostRetryAfter : wait) : null;
    }

    private HttpRequestMessage Request(QueueSettings queue, Job job)
    {
        var body = Encoding.UTF8.GetBytes(job.Payload);
        var id = string.Create(CultureInfo.InvariantCulture, $"job_{job.Id}");
        var timestamp = _time.GetUtcNow().ToUnixTimeSeconds();
        var request = new HttpRequestMessage(HttpMethod.Post, queue.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = Json;
        var headers = request.Headers;
        headers.TryAddWithoutValidation("webhook-id", id);
        headers.TryAddWithoutValidation("webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture));
        headers.TryAddWithoutValidation("webhook-signature", _signature.Sign(id, timestamp, body));
        headers.TryAddWithoutValidation("ashlar-queue", queue.Name);
        headers.TryAddWithoutValidation("ashlar-attempt", job.Attempt.ToString(CultureInfo.InvariantCulture));
        headers.TryAddWithoutValidation("ashlar-attempts", job.Attempts.ToString(CultureInfo.InvariantCulture));
        if (queue.Lease is not null)
        {
            headers.TryAddWithoutValidation("ashlar-lease", job.Lease);
        }

        if (job.Trace is { } trace && trace.All(c => c is > ' ' and <= '~'))
        {
            headers.TryAddWithoutValidation("traceparent", trace);
        }

        return request;
    }

    private async Task<Outcome?> OutcomeOfAsync(QueueSettings queue, HttpResponseMessage response, CancellationToken cancellation)
    {
        var status = (int)response.StatusCode;
        if (response.IsSuccessStatusCode)
        {
            // Read to its end, so that the connection serves the next job.
            await DrainAsync(response, cancellation);
            return response.StatusCode == HttpStatusCode.Accepted && queue.Lease is not null ? null : Outcome.Done;
        }

        var wait = RetryAfter(response.Headers.RetryAfter, _time.GetUtcNow());
        var said = await BeginAsync(response, cancellation);
        var error = string.Create(CultureInfo.InvariantCulture, $"answered {status}{said}");
        return response.StatusCode switch
        {
            HttpStatusCode.Gone => new Outcome(Ending.Dead, error),
            HttpStatusCode.TooManyRequests => new Outcome(Ending.Later, error, wait),
            HttpStatusCode.ServiceUnavailable when wait is not null => new Outcome(Ending.Later, error, wait),
            _ => new Outcome(Ending.Failed, error, wait),
        };
    }

    private static async Task DrainAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[4096];
        for (var left = 1 << 20; left > 0;)
        {
            var read = await body.ReadAsync(buffer, cancellation);
            if (read == 0)
            {
                return;
            }

            left -= read;
        }
    }

    private static async Task<string> BeginAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            var buffer = new byte[LongestAnswer];
            var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);
            var text = string.Join(' ', Encoding.UTF8.GetString(buffer, 0, length).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            return text.Length > 0 ? $": {text}" : "";
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return "";
        }
    }
}
