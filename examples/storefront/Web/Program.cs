// The shop's pages.
using System.Diagnostics;
using System.Globalization;
using Storefront;

if (Pages.Currency.Length > 3)
{
    Console.Error.WriteLine($"CURRENCY is a sign such as € or CHF, not {Pages.Currency}");
    return 1;
}

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.UseUrls($"http://127.0.0.1:{Environment.GetEnvironmentVariable("PORT") ?? "5000"}");
builder.Services.AddSingleton<Databases>().AddSingleton<Shop>().AddSingleton<Memcached>();
builder.Services.AddSingleton(_ => new Carts(new Redis("REDIS_URL")));
builder.Services.AddKeyedSingleton("queue", (_, _) => new Redis("REDIS_QUEUE_URL"));
var app = builder.Build();

// Well means: can answer a page. A database that is being replaced is waited for by the pages, not by this.
app.MapGet("/up", () => "up");

app.MapGet("/", async (HttpContext http, Shop shop, Memcached memcached, Carts carts, CancellationToken cancellation) =>
{
    var seen = new Seen();
    var shelf = await memcached.GetAsync("shelf", cancellation);
    seen.Fragment = shelf is null ? "rendered now" : "from Memcached";
    if (shelf is null)
    {
        var products = await shop.ProductsAsync(cancellation);
        (shelf, seen.Database) = (Pages.Shelf(products.Value), products.Server);
        await memcached.SetAsync("shelf", shelf, TimeSpan.FromSeconds(5), cancellation);
    }

    var cart = await carts.GetAsync(Visitor(http), cancellation);
    return Pages.Page("Storefront", Pages.Hero + shelf, cart.Values.Sum(), seen);
});

// For everybody alike, so the edge's cache may have it for a day; the back office takes it out by its tag when a price changes. Browsers ask each time.
app.MapGet("/prices", async (HttpContext http, Shop shop, CancellationToken cancellation) =>
{
    var prices = await shop.PricesAsync(cancellation);
    http.Response.Headers.CacheControl = "no-cache";
    http.Response.Headers["CDN-Cache-Control"] = "max-age=86400";
    http.Response.Headers["Cache-Tag"] = "prices";
    return Pages.Page("Prices", Pages.Prices(prices.Value), null, new Seen { Database = prices.Server });
});

app.MapGet("/product/{id:int}", async (int id, HttpContext http, Shop shop, Carts carts, CancellationToken cancellation) =>
{
    var seen = new Seen();
    var product = await shop.ProductAsync(id, cancellation);
    if (product.Value is null)
    {
        return Results.NotFound("There is no such product.");
    }

    seen.Database = product.Server;
    var cart = await carts.GetAsync(Visitor(http), cancellation);
    return Pages.Page(product.Value.Name, Pages.Product(product.Value), cart.Values.Sum(), seen);
});

app.MapGet("/cart", async (HttpContext http, Shop shop, Carts carts, CancellationToken cancellation) =>
{
    var seen = new Seen { Cart = "from Redis" };
    var cart = await carts.GetAsync(Visitor(http), cancellation);
    var products = await shop.ProductsAsync(cancellation);
    seen.Database = products.Server;
    return Pages.Page("Cart", Pages.Cart(products.Value, cart), cart.Values.Sum(), seen);
});

app.MapPost("/cart/{id:int}", async (int id, HttpContext http, Shop shop, Carts carts, CancellationToken cancellation) =>
{
    if ((await shop.ProductAsync(id, cancellation)).Value is null)
    {
        return Results.NotFound("There is no such product.");
    }

    await carts.AddAsync(Visitor(http), id, cancellation);
    return Results.Redirect("/cart");
});

app.MapPost("/checkout", async (
    HttpContext http, Shop shop, Carts carts, [FromKeyedServices("queue")] Redis queue, CancellationToken cancellation) =>
{
    var seen = new Seen();
    var visitor = Visitor(http);
    var cart = await carts.GetAsync(visitor, cancellation);
    if (cart.Count == 0)
    {
        return Results.Redirect("/cart");
    }

    if (await shop.PlaceAsync(cart, cancellation) is not var (order, server))
    {
        return Pages.Page("Sold out", "<h1>Sold out</h1><p>Something in your cart was bought by somebody else just now.</p>", cart.Values.Sum(), seen);
    }

    await queue.DoAsync(cancellation, "LPUSH", "orders", order.ToString(CultureInfo.InvariantCulture));
    await carts.EmptyAsync(visitor, cancellation);
    (seen.Database, seen.Cart) = (server, "emptied in Redis");
    return Pages.Page(
        "Thank you", $"<h1>Thank you</h1><p>Order {order} is placed; the worker packs it now.</p><p><a href=/>Back to the shelf</a></p>", 0, seen);
});

app.Run();
return 0;

static string Visitor(HttpContext http)
{
    if (http.Request.Cookies.TryGetValue("visitor", out var known) && Guid.TryParse(known, out _))
    {
        return known;
    }

    var visitor = Guid.NewGuid().ToString("N");
    http.Response.Cookies.Append("visitor", visitor, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Lax });
    return visitor;
}

/// <summary>Carts, which may be forgotten after an hour.</summary>
internal sealed class Carts(Redis redis)
{
    public async Task<Dictionary<int, int>> GetAsync(string visitor, CancellationToken cancellation)
    {
        var lines = (object?[])(await redis.DoAsync(cancellation, "HGETALL", Key(visitor)))!;
        return lines.Chunk(2).ToDictionary(line => Number(line[0]), line => Number(line[1]));
    }

    public async Task AddAsync(string visitor, int product, CancellationToken cancellation)
    {
        await redis.DoAsync(cancellation, "HINCRBY", Key(visitor), product.ToString(CultureInfo.InvariantCulture), "1");
        await redis.DoAsync(cancellation, "EXPIRE", Key(visitor), "3600");
    }

    public Task EmptyAsync(string visitor, CancellationToken cancellation) => redis.DoAsync(cancellation, "DEL", Key(visitor));

    private static string Key(string visitor) => $"cart:{visitor}";

    private static int Number(object? text) => int.Parse((string)text!, CultureInfo.InvariantCulture);
}

/// <summary>Who had a hand in a page, for its footer.</summary>
internal sealed class Seen
{
    private readonly long _began = Stopwatch.GetTimestamp();

    public string Database { get; set; } = "";

    public string Fragment { get; set; } = "";

    public string Cart { get; set; } = "";

    public TimeSpan Took => Stopwatch.GetElapsedTime(_began);
}
