// Visitors, so that there is something to see: ashlar run load [VISITORS] [SECONDS]
using System.Diagnostics;
using System.Net;

var visitors = args.Length > 0 ? int.Parse(args[0]) : 20;
var time = TimeSpan.FromSeconds(args.Length > 1 ? int.Parse(args[1]) : 60);
var shop = new Uri(Environment.GetEnvironmentVariable("WEB_URL") ?? throw new InvalidOperationException("WEB_URL is not set."));
using var ending = new CancellationTokenSource(time);
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    ending.Cancel();
};
long pages = 0, orders = 0, failed = 0;
Console.WriteLine($"{visitors} visitors at {shop} for {time.TotalSeconds:0} s; Ctrl-C ends it");
var began = Stopwatch.StartNew();
var all = Task.WhenAll(Enumerable.Range(0, visitors).Select(_ => Task.Run(VisitAsync)));
for (long before = 0; await Task.WhenAny(all, Task.Delay(1000)) != all; before = pages)
{
    Console.WriteLine($"{pages - before,6} pages/s  {orders,6} orders  {failed,4} failed");
}

Console.WriteLine($"{pages} pages in {began.Elapsed.TotalSeconds:0.0} s, {orders} orders, {failed} failed");
return failed == 0 ? 0 : 1;

async Task VisitAsync()
{
    while (!ending.IsCancellationRequested)
    {
        // Each visitor looks about, puts something into the cart, and one in four buys it.
        using var http = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = shop };
        await DoAsync(() => http.GetAsync("/", ending.Token));
        for (var look = Random.Shared.Next(2, 6); look > 0; look--)
        {
            await DoAsync(() => http.GetAsync($"/product/{Random.Shared.Next(1, 7)}", ending.Token));
            await Task.Delay(Random.Shared.Next(20, 200), ending.Token).ContinueWith(_ => { });
        }

        await DoAsync(() => http.PostAsync($"/cart/{Random.Shared.Next(1, 7)}", null, ending.Token));
        if (Random.Shared.Next(4) == 0 && await DoAsync(() => http.PostAsync("/checkout", null, ending.Token)))
        {
            Interlocked.Increment(ref orders);
        }
    }
}

async Task<bool> DoAsync(Func<Task<HttpResponseMessage>> ask)
{
    try
    {
        using var answer = await ask();
        Interlocked.Increment(ref pages);
        if (!answer.IsSuccessStatusCode)
        {
            Interlocked.Increment(ref failed);
        }

        return answer.IsSuccessStatusCode;
    }
    catch (OperationCanceledException) when (ending.IsCancellationRequested)
    {
        return false;
    }
    catch (HttpRequestException e)
    {
        Interlocked.Increment(ref failed);
        Console.Error.WriteLine(e.Message);
        return false;
    }
}
