using System.Net;
using Ashlar.LoadClient;

// loadclient HOST:PORT [SECONDS]: the steady mix against a running stack whose web service is Ashlar.TestApp.
if (args.Length is 0 or > 2 || !IPEndPoint.TryParse(args[0], out var server))
{
    Console.Error.WriteLine("usage: loadclient ADDRESS:PORT [SECONDS]");
    return 2;
}
using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(args.Length > 1 ? int.Parse(args[1]) : 10));
var report = await new LoadRunner(server, new LoadMix()).RunAsync(stop.Token);
Console.WriteLine(report);
return report.Failed == 0 ? 0 : 1;
