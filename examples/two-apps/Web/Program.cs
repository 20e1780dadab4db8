// The first service: pages, a WebSocket that echoes, and calls to `api`.
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(o => o.ListenAnyIP(int.Parse(Environment.GetEnvironmentVariable("PORT") ?? "5000")));
builder.Services.AddHttpClient("api", c => c.BaseAddress = new Uri(Environment.GetEnvironmentVariable("API_URL") ?? "http://127.0.0.1:5001"));
var app = builder.Build();
app.UseWebSockets();
var instance = Environment.GetEnvironmentVariable("ASHLAR_INSTANCE") ?? "web";
var release = Environment.GetEnvironmentVariable("ASHLAR_RELEASE") ?? "none";

app.MapGet("/up", () => "up\n");
app.MapGet("/whoami", () => Results.Json(new { instance, release }));

// web → api: the URL in the environment leads through the edge to any healthy instance.
app.MapGet("/", async (IHttpClientFactory clients) =>
{
    var time = await clients.CreateClient("api").GetFromJsonAsync<JsonElement>("/api/time");
    return Page("Two apps", $"""
        <p>This page is from <b>{instance}</b> (release {release}); the time from <b>{time.GetProperty("instance")}</b>: {time.GetProperty("time")}.</p>
        <ul><li><a href="/ticks">Server-sent events</a></li><li><a href="/chat">WebSocket</a></li><li><a href="/api/greeting">api calls web</a></li></ul>
        """);
});

app.MapGet("/ticks", () => Page("Server-sent events", """
    <pre id="out"></pre>
    <script>new EventSource("/api/ticks").onmessage = e => out.textContent = e.data + "\n" + out.textContent;</script>
    """));

app.MapGet("/chat", () => Page("WebSocket", """
    <form id="form"><input id="line" aria-label="Message" autofocus> <button>Send</button></form><pre id="out"></pre>
    <script>
    const socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/ws");
    socket.onmessage = e => out.textContent = e.data + "\n" + out.textContent;
    form.onsubmit = e => { e.preventDefault(); socket.send(line.value); line.value = ""; };
    </script>
    """));

app.Map("/ws", async (HttpContext context) =>
{
    if (!context.WebSockets.IsWebSocketRequest)
    {
        context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
        return;
    }
    using var socket = await context.WebSockets.AcceptWebSocketAsync();
    var buffer = new byte[4096];
    var prefix = Encoding.UTF8.GetBytes($"{instance}: ");
    prefix.CopyTo(buffer, 0);
    while (await socket.ReceiveAsync(buffer.AsMemory(prefix.Length), context.RequestAborted) is { MessageType: WebSocketMessageType.Text } message)
    {
        await socket.SendAsync(buffer.AsMemory(0, prefix.Length + message.Count), WebSocketMessageType.Text, message.EndOfMessage, context.RequestAborted);
    }
    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
});

Console.WriteLine($"{instance} listens on port {Environment.GetEnvironmentVariable("PORT")}");
app.Run();

static IResult Page(string title, string body) => Results.Content($$"""
    <!doctype html>
    <html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{title}}</title>
    <style>body{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}</style>
    <h1>{{title}}</h1>
    {{body}}
    </html>
    """, "text/html; charset=utf-8");
