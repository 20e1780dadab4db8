// The back office: a second app, at a host of its own.
using System.Globalization;
using System.Net;
using System.Text.Json;
using Storefront;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.UseUrls($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "5000"}");
builder.Services.AddSingleton<Databases>().AddSingleton<Shop>();
var app = builder.Build();
using var http = new HttpClient();
var cache = Environment.GetEnvironmentVariable("CACHE");
var instance = Environment.GetEnvironmentVariable("ASHLAR_INSTANCE");

app.MapGet("/up", () => "up");
app.MapGet("/", async (Shop shop, CancellationToken cancellation) =>
{
    var orders = await shop.OrdersAsync(cancellation);
    var rows = orders.Value.Select(o => string.Create(CultureInfo.InvariantCulture,
        $"<tr><td>{o.Id}<td>{WebUtility.HtmlEncode(o.Status)}<td>{o.Placed:yyyy-MM-dd HH:mm:ss}<td>€{o.Cents / 100.0:N2}"));
    return Results.Content(
        $"""
         <!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5><title>Back office</title>
         <style>:root {"{"} color-scheme: light dark {"}"} body {"{"} font: 15px/1.5 system-ui; max-width: 50rem; margin: 2rem auto; padding: 0 1rem {"}"} table {"{"} width: 100%; border-collapse: collapse {"}"} td, th {"{"} text-align: left; padding: .3rem; border-bottom: 1px solid #8884 {"}"}</style>
         <h1>Orders</h1><form method=post action=/restock><button>Fill the shelves</button></form>
         <table><tr><th>Number<th>State<th>Placed<th>Sum{string.Concat(rows)}</table>
         <p>served by {WebUtility.HtmlEncode(instance)} · data from the {WebUtility.HtmlEncode(orders.Server)}</p></html>
         """,
        "text/html; charset=utf-8");
});
// A price changes for everybody at once: what the edge's cache has kept under this tag is gone when the answer comes.
app.MapPost("/price/{id:int}", async (int id, HttpRequest request, Shop shop, CancellationToken cancellation) =>
{
    var form = await request.ReadFormAsync(cancellation);
    if (!int.TryParse(form["cents"], CultureInfo.InvariantCulture, out var cents) || cents < 0 || !await shop.PriceAsync(id, cents, cancellation))
    {
        return Results.BadRequest("No such product, or no such price.\n");
    }

    using var purge = new HttpRequestMessage(new HttpMethod("PURGE"), cache) { Headers = { { "Cache-Tag", "prices" } } };
    using var purged = await http.SendAsync(purge, cancellation);
    return Results.Text($"Product {id} costs €{cents / 100.0:N2} now; the cache said {(int)purged.StatusCode}.\n");
});

// Jobs come from the stack. Whoever else finds this path cannot sign.
app.MapPost("/jobs/confirmation", async (HttpRequest request, Shop shop, CancellationToken cancellation) =>
{
    if (await Webhook.BodyAsync(request, cancellation) is not { } body)
    {
        return Results.Unauthorized();
    }

    var order = JsonDocument.Parse(body).RootElement.GetProperty("order").GetInt32();
    if (!await shop.ConfirmAsync(order, cancellation))
    {
        Console.WriteLine($"order {order} is not there to be confirmed");
        return Results.StatusCode(410);
    }

    Console.WriteLine($"order {order} confirmed");
    return Results.Ok();
});
app.MapPost("/restock", async (Shop shop, CancellationToken cancellation) =>
{
    await shop.RestockAsync(cancellation);
    return Results.Redirect("/");
});

app.Run();
