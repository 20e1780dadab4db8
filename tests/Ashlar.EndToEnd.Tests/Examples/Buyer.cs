using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Ashlar.EndToEnd.Examples;

/// <summary>Somebody with a cart of their own, known by a cookie.</summary>
internal sealed partial class Buyer(int port) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { CookieContainer = new CookieContainer() })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{port}"),
        Timeout = TimeSpan.FromSeconds(15),
    };

    /// <summary>Puts something into the cart and buys it: the order's number and the page that thanks for it. Null: it was not acknowledged.</summary>
    public async Task<(int Order, string Page)?> BuyAsync(CancellationToken cancellation = default)
    {
        using var cart = await _http.PostAsync(new Uri("/cart/1", UriKind.Relative), null, cancellation);
        using var answer = await _http.PostAsync(new Uri("/checkout", UriKind.Relative), null, cancellation);
        var page = await answer.Content.ReadAsStringAsync(cancellation);
        return answer.StatusCode == HttpStatusCode.OK && Thanks().Match(page) is { Success: true } thanks
            ? (int.Parse(thanks.Groups[1].Value, CultureInfo.InvariantCulture), page)
            : null;
    }

    public void Dispose() => _http.Dispose();

    [GeneratedRegex(@"<h1>Thank you</h1><p>Order (\d+) is placed")]
    private static partial Regex Thanks();
}

/// <summary>Buyers that place one order after the other, whatever fails meanwhile, and remember each that was acknowledged.</summary>
internal sealed class SteadyBuyers : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<int> _orders = [];
    private readonly Task[] _buyers;

    /// <summary>Begins.</summary>
    public SteadyBuyers(int port) => _buyers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() => BuyAsync(port)))];

    /// <summary>Waits until some more orders have been acknowledged.</summary>
    public async Task HaveBoughtAsync(int more)
    {
        var waited = Stopwatch.StartNew();
        for (var goal = Count + more; Count < goal; await Task.Delay(10))
        {
            Assert.True(waited.Elapsed < Patience, $"only {Count} orders of {goal} are acknowledged");
        }
    }

    /// <summary>Ends, and gives the numbers of all orders that were acknowledged.</summary>
    public async Task<IReadOnlyList<int>> EndAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_buyers);
        return _orders;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _stop.Dispose();
    }

    private int Count
    {
        get
        {
            lock (_orders)
            {
                return _orders.Count;
            }
        }
    }

    private async Task BuyAsync(int port)
    {
        using var buyer = new Buyer(port);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (await buyer.BuyAsync(_stop.Token) is var (order, _))
                {
                    lock (_orders)
                    {
                        _orders.Add(order);
                    }
                }

                await Task.Delay(20, _stop.Token);
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // Not acknowledged: nothing is owed.
            }
        }
    }
}
