// The second service: tells the time, streams it, and asks `web` who it is.
using System.Text.Json;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(o => o.ListenAnyIP(int.Parse(Environment.GetEnvironmentVariable("PORT") ?? "5001")));
builder.Services.AddHttpClient("web", c => c.BaseAddress = new Uri(Environment.GetEnvironmentVariable("WEB_URL") ?? "http://127.0.0.1:5000"));
var app = builder.Build();
var instance = Environment.GetEnvironmentVariable("ASHLAR_INSTANCE") ?? "api";

app.MapGet("/api/up", () => "up\n");
app.MapGet("/api/time", () => Results.Json(new { instance, time = DateTimeOffset.UtcNow }));

// api → web: the URL in the environment leads through the edge to any healthy instance.
app.MapGet("/api/greeting", async (IHttpClientFactory clients) =>
{
    var web = await clients.CreateClient("web").GetFromJsonAsync<JsonElement>("/whoami");
    return Results.Json(new { instance, greeting = $"Hello {web.GetProperty("instance").GetString()}, this is {instance}." });
});

// One event a second, each named by the instance that sends it.
app.MapGet("/api/ticks", async (HttpContext context, IHostApplicationLifetime life) =>
{
    context.Response.ContentType = "text/event-stream";
    context.Response.Headers.CacheControl = "no-cache";
    using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, life.ApplicationStopping);
    try
    {
        for (var id = 1; !end.IsCancellationRequested; id++)
        {
            await context.Response.WriteAsync($"id: {id}\ndata: {DateTimeOffset.UtcNow:HH:mm:ss} from {instance}\n\n", end.Token);
            await context.Response.Body.FlushAsync(end.Token);
            await Task.Delay(TimeSpan.FromSeconds(1), end.Token);
        }
    }
    catch (OperationCanceledException)
    {
    }
});

Console.WriteLine($"{instance} listens on port {Environment.GetEnvironmentVariable("PORT")}");
app.Run();
