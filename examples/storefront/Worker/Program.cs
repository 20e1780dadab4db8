// Packs orders. A job lies in this worker's own list until it is done. What lies there already was begun and not finished, because the worker
// died, or the database, or the queue between taking the job and telling of it: it comes first.
// With the word report it writes the day's report instead.
using System.Runtime.InteropServices;
using Storefront;

if (args is ["report"])
{
    await using var books = new Databases();
    var (orders, cents) = await new Shop(books).DayAsync();
    Console.WriteLine(FormattableString.Invariant($"{orders} orders since yesterday, €{cents / 100.0:N2} together"));
    return;
}

using var ending = new CancellationTokenSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    ending.Cancel();
});
await using var databases = new Databases();
var shop = new Shop(databases);
var queue = new Redis("REDIS_QUEUE_URL");
var packing = $"packing:{Environment.GetEnvironmentVariable("ASHLAR_INSTANCE") ?? "worker"}";
Console.WriteLine("waiting for orders");
while (!ending.IsCancellationRequested)
{
    try
    {
        if ((await queue.DoAsync(ending.Token, "LINDEX", packing, "-1")
            ?? await queue.DoAsync(ending.Token, "BLMOVE", "orders", packing, "RIGHT", "LEFT", "5")) is string job)
        {
            // What is begun is finished, also when the end has been asked for meanwhile.
            await shop.PackAsync(int.Parse(job));
            await queue.DoAsync(CancellationToken.None, "LREM", packing, "1", job);
            Console.WriteLine($"order {job} packed");
        }
    }
    catch (OperationCanceledException)
    {
    }
    catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or Npgsql.NpgsqlException or InvalidOperationException)
    {
        Console.WriteLine($"again in a second: {e.Message}");
        await Task.Delay(1000, ending.Token).ContinueWith(_ => { });
    }
}
