using System.Globalization;
using System.Net;
using Storefront;

/// <summary>The shop's HTML.</summary>
internal static class Pages
{
    public const string Hero = "<header class=hero><h1>Tools for dressed stone</h1><p>Six good things, and nothing else.</p></header>";

    private static readonly string Instance = Environment.GetEnvironmentVariable("ASHLAR_INSTANCE") ?? "no instance";
    private static readonly string Release = Environment.GetEnvironmentVariable("ASHLAR_RELEASE") ?? "no release";

    private const string Style = """
        :root { color-scheme: light dark; --ink: #23201c; --paper: #faf8f4; --line: #e2dcd0; --card: #fff; --accent: #8a4b20; }
        @media (prefers-color-scheme: dark) { :root { --ink: #ece7df; --paper: #1b1917; --line: #38332d; --card: #242120; --accent: #e0a472; } }
        * { box-sizing: border-box } body { margin: 0; font: 16px/1.55 ui-serif, Georgia, serif; color: var(--ink); background: var(--paper) }
        nav, main, footer { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem } nav { display: flex; gap: 1.5rem; align-items: baseline }
        nav a { text-decoration: none } nav .name { font-weight: 700; letter-spacing: .04em; margin-right: auto } a { color: var(--accent) }
        .hero { padding: 2rem 0 1rem } h1 { font-size: 2rem; margin: 0 0 .25rem; font-weight: 600 } .hero p { margin: 0; opacity: .75 }
        .shelf { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 1rem; padding: 0; list-style: none }
        .shelf li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem } .shelf h2 { margin: 0; font-size: 1.15rem }
        .shelf p { margin: .25rem 0 .75rem; opacity: .8 } .price { font-variant-numeric: tabular-nums; font-weight: 600 }
        button { font: inherit; padding: .45rem .9rem; border: 1px solid var(--accent); border-radius: .4rem; background: var(--accent); color: var(--paper); cursor: pointer }
        table { border-collapse: collapse; width: 100%; margin: 1rem 0 } td, th { padding: .5rem .25rem; border-bottom: 1px solid var(--line); text-align: left } td:last-child, th:last-child { text-align: right; font-variant-numeric: tabular-nums }
        footer { font: 13px/1.6 ui-sans-serif, system-ui, sans-serif; opacity: .75; border-top: 1px solid var(--line); margin-top: 3rem }
        """;

    public static IResult Page(string title, string body, int inCart, Seen seen)
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
             <!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width, initial-scale=1"><title>{Text(title)}</title><style>{Style}</style>
             <nav><a class=name href=/>Storefront</a><a href=/cart>Cart ({inCart})</a></nav>
             <main>{body}</main>
             <footer>{string.Join(" · ", parts.Where(part => part.Length > 0).Select(Text))}</footer></html>
             """,
            "text/html; charset=utf-8");
    }

    public static string Shelf(IEnumerable<Product> products) =>
        $"<ul class=shelf>{string.Concat(products.Select(p => $"<li><h2><a href=/product/{p.Id}>{Text(p.Name)}</a></h2><p>{Text(p.Story)}</p>{Buy(p)}</li>"))}</ul>";

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

    private static string Price(int cents) => string.Create(CultureInfo.InvariantCulture, $"€{cents / 100.0:N2}");

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
