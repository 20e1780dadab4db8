using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Runner;
using Ashlar.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ashlar.Jobs.Tests.Runner;

public sealed class HttpDeliveryTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static readonly Job Job = new()
    {
        Queue = 1, Id = 812, Attempt = 2, Delivery = 3, Attempts = 20, At = DateTime.UtcNow, Enqueued = DateTime.UtcNow, Payload = """{"to": "ü"}""", Trace = "00-1-2-01",
    };

    [Fact]
    public void The_signature_is_that_of_the_specification() =>

        // The example of standardwebhooks.com.
        Assert.Equal("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            new WebhookSignature(Secret).Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, """{"test": 2432232314}"""u8));

    [Theory]
    [InlineData(200, null, "Done")]
    [InlineData(204, null, "Done")]
    [InlineData(202, null, "Done")]
    [InlineData(302, null, "Failed")]
    [InlineData(400, null, "Failed")]
    [InlineData(409, null, "Failed")]
    [InlineData(410, null, "Dead")]
    [InlineData(429, null, "Later")]
    [InlineData(429, "7", "Later")]
    [InlineData(500, null, "Failed")]
    [InlineData(503, null, "Failed")]
    [InlineData(503, "7", "Later")]
    public async Task An_answer_means(int status, string? retryAfter, string ending)
    {
        HttpRequest? seen = null;
        string body = "";
        await using var app = await ServeAsync(async context =>
        {
            seen = context.Request;
            using var reader = new StreamReader(context.Request.Body);
            body = await reader.ReadToEndAsync();
            context.Response.StatusCode = status;
            if (retryAfter is not null)
            {
                context.Response.Headers.RetryAfter = retryAfter;
            }

            if (status >= 300)
            {
                await context.Response.WriteAsync("because\nof this");
            }

            Assert.Equal("job_812 2 00-1-2-01", $"{context.Request.Headers["webhook-id"]} {context.Request.Headers["ashlar-attempt"]} {context.Request.Headers["traceparent"]}");
            var signed = Encoding.UTF8.GetBytes($"{context.Request.Headers["webhook-id"]}.{context.Request.Headers["webhook-timestamp"]}.{body}");
            Assert.Equal($"v1,{Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(Secret["whsec_".Length..]), signed))}", context.Request.Headers["webhook-signature"]);
        });
        using var delivery = new HttpDelivery(Secret, TimeProvider.System);
        var outcome = await delivery.DeliverAsync(Queue(app), Job, CancellationToken.None);
        Assert.Equal((ending, Job.Payload), (outcome!.Ending.ToString(), body));
        Assert.NotNull(seen);
        Assert.Equal(retryAfter is null ? (TimeSpan?)null : TimeSpan.FromSeconds(7), outcome.RetryIn);
        Assert.Equal(status >= 300 ? $"answered {status}: because of this" : null, outcome.Error);
    }

    [Fact]
    public async Task In_a_queue_with_a_lease_202_leaves_the_job_with_its_worker()
    {
        await using var app = await ServeAsync(context =>
        {
            Assert.Equal("812.3", context.Request.Headers["ashlar-lease"]);
            context.Response.StatusCode = 202;
            return Task.CompletedTask;
        });
        using var delivery = new HttpDelivery(Secret, TimeProvider.System);
        Assert.Null(await delivery.DeliverAsync(Queue(app) with { Lease = TimeSpan.FromMinutes(1) }, Job, CancellationToken.None));
    }

    [Fact]
    public async Task Who_never_answers_has_failed_when_its_time_is_over()
    {
        await using var app = await ServeAsync(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        using var delivery = new HttpDelivery(Secret, TimeProvider.System);
        var outcome = await delivery.DeliverAsync(Queue(app) with { Timeout = TimeSpan.FromMilliseconds(200) }, Job, CancellationToken.None);
        Assert.Equal(new Outcome(Ending.Failed, "no answer within 0.2 s"), outcome);
    }

    [Fact]
    public async Task Who_dies_in_the_middle_has_failed_and_who_is_not_there_is_tried_later_for_free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var dying = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            Assert.NotEqual(0, await client.GetStream().ReadAsync(new byte[100]));
            await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"u8.ToArray());
        });
        using var delivery = new HttpDelivery(Secret, TimeProvider.System);
        var queue = new QueueSettings { Name = "emails", Url = $"http://127.0.0.1:{port}/" };
        Assert.Equal(Ending.Failed, (await delivery.DeliverAsync(queue, Job, CancellationToken.None))!.Ending);
        await dying;
        listener.Stop();
        Assert.Equal(Ending.Later, (await delivery.DeliverAsync(queue, Job, CancellationToken.None))!.Ending);
    }

    [Fact]
    public async Task Who_answers_late_or_twice_answers_no_other_job()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var late = new SemaphoreSlim(0);
        var serving = Task.Run(async () =>
        {
            // The first answers only when nobody waits any more; the others twice, the second time that it has failed.
            for (var i = 0; i < 4; i++)
            {
                using var client = await listener.AcceptTcpClientAsync();
                using var reader = new StreamReader(client.GetStream());
                while (await reader.ReadLineAsync() is { Length: > 0 })
                {
                }

                if (i == 0)
                {
                    await late.WaitAsync();
                }

                const string Done = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                const string Dead = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n";
                try
                {
                    await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(i == 0 ? Done : Done + Dead));
                    await reader.ReadToEndAsync();
                }
                catch (IOException)
                {
                    // The delivery has closed the connection, as it should.
                }
            }
        });
        using var delivery = new HttpDelivery(Secret, TimeProvider.System);
        var queue = new QueueSettings { Name = "emails", Url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/", Timeout = TimeSpan.FromMilliseconds(300) };
        Assert.Equal(Ending.Failed, (await delivery.DeliverAsync(queue, Job, CancellationToken.None))!.Ending);
        late.Release();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(Outcome.Done, await delivery.DeliverAsync(queue with { Timeout = TimeSpan.FromSeconds(30) }, Job, CancellationToken.None));
        }

        delivery.Dispose();
        await serving.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData("120", 120)]
    [InlineData("999999999", 86_400)]
    [InlineData("Sun, 22 Nov 2026 12:00:10 GMT", 10)]
    [InlineData("Sun, 22 Nov 2020 12:00:10 GMT", 0)]
    public void Retry_After_is_seconds_or_a_date_and_at_most_a_day(string text, int seconds) => Assert.Equal(
        TimeSpan.FromSeconds(seconds),
        HttpDelivery.RetryAfter(RetryConditionHeaderValue.Parse(text), DateTimeOffset.Parse("2026-11-22T12:00:00Z", CultureInfo.InvariantCulture)));

    private static QueueSettings Queue(WebApplication app) => new() { Name = "emails", Url = app.Urls.First() + "/jobs/emails" };

    private static async Task<WebApplication> ServeAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{Ports.Free()}");
        app.Run(answer);
        await app.StartAsync();
        return app;
    }
}
