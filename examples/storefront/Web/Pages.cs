using System.Globalization;
using System.Net;
using Storefront;

/// <summary>The shop's HTML.</summary>
internal static class Pages
{
    public const string Hero = "<header class=hero><h1>Tools for dressed stone</h1><p>Six good things, and nothing else.</p></header>";

    public static readonly string Currency = Environment.GetEnvironmentVariable("CURRENCY") ?? "€";

    private static readonly string Instance = Environment.GetEnvironmentVariable("ASHLAR_INSTANCE") ?? "no instance";
    private static readonly string Release = Environment.GetEnvironmentVariable("ASHLAR_RELEASE") ?? "no release";

    /// <param name="title">Its title.</param>
    /// <param name="body">What is its own.</param>
    /// <param name="inCart">What lies in the visitor's cart; null: the page is for everybody.</param>
    /// <param name="seen">Who had a hand in it.</param>
    public static IResult Page(string title, string body, int? inCart, Seen seen)
    {
        var parts = new[]
        {
            $"served by {Instance} ({Release})",
            seen.Database.Length > 0 ? $"data from the {seen.Database}" : "",
            seen.Fragment.Length > 0 ? $"shelf {seen.Fragment}" : "",
            seen.Cart.Length > 0 ? $"cart {seen.Cart}" : "",
            string.Create(CultureInfo.InvariantCulture, $"{seen.Took.TotalMilliseconds:0.0} ms"),
        };
        return Results.Content(
            $"""
             <!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width, initial-scale=1"><title>{Text(title)}</title><link rel=stylesheet href=/assets/shop.1.css>
             <nav><a class=name href=/>Storefront</a><a href=/prices>Prices</a><a href=/cart>Cart{(inCart is null ? "" : $" ({inCart})")}</a></nav>
             <main>{body}</main>
             <footer>{string.Join(" · ", parts.Where(part => part.Length > 0).Select(Text))}</footer></html>
             """,
            "text/html; charset=utf-8");
    }

    public static string Shelf(IEnumerable<Product> products) =>
        $"<ul class=shelf>{string.Concat(products.Select(p => $"<li><h2><a href=/product/{p.Id}>{Text(p.Name)}</a></h2><p>{Text(p.Story)}</p>{Buy(p)}</li>"))}</ul>";

    public static string Prices(IEnumerable<Product> products) =>
        $"<h1>Prices</h1><table><tr><th>Tool<th>Price{string.Concat(products.Select(p => $"<tr><td>{Text(p.Name)}<td>{Price(p.Cents)}"))}</table>";

    public static string Product(Product p) => $"<h1>{Text(p.Name)}</h1><p>{Text(p.Story)}</p><p>{p.Stock:N0} in stock.</p>{Buy(p)}";

    public static string Cart(IReadOnlyList<Product> products, IReadOnlyDictionary<int, int> cart)
    {
        var lines = products.Where(p => cart.ContainsKey(p.Id)).Select(p => (p.Name, Count: cart[p.Id], Cents: p.Cents * cart[p.Id])).ToArray();
        return lines.Length == 0
            ? "<h1>Cart</h1><p>Nothing yet. <a href=/>The shelf is this way.</a></p>"
            : $"<h1>Cart</h1><table><tr><th>Tool<th>Count<th>Price{string.Concat(lines.Select(l => $"<tr><td>{Text(l.Name)}<td>{l.Count}<td>{Price(l.Cents)}"))}"
              + $"<tr><th>Together<th><th>{Price(lines.Sum(l => l.Cents))}</table><form method=post action=/checkout><button>Buy</button></form>";
    }

    private static string Buy(Product p) => $"<form method=post action=/cart/{p.Id}><span class=price>{Price(p.Cents)}</span> <button>Into the cart</button></form>";

    private static string Price(int cents) => string.Create(CultureInfo.InvariantCulture, $"{Currency}{cents / 100.0:N2}");

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
