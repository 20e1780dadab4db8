using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Ashlar.TestApp;

// An app for tests and benchmarks: starts fast, answers what can be checked to the byte, ends on SIGTERM when it has answered.
var port = int.Parse(Environment.GetEnvironmentVariable("PORT") ?? "5000");
var name = Environment.GetEnvironmentVariable("ASHLAR_INSTANCE") ?? "testapp";
using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
listener.Bind(new IPEndPoint(IPAddress.Parse(Environment.GetEnvironmentVariable("HOST") ?? "127.0.0.1"), port));
listener.Listen(512);
using var stopping = new CancellationTokenSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    stopping.Cancel();
});
Console.WriteLine($"{name} listens on {port}");
var open = new CountdownEvent(1);
var jobs = new JobLog();
try
{
    while (true)
    {
        var client = await listener.AcceptAsync(stopping.Token);
        client.NoDelay = true;
        open.AddCount();
        _ = Task.Run(async () =>
        {
            try
            {
                using var stream = new NetworkStream(client, ownsSocket: true);
                await new AppConnection(stream, name, jobs, stopping.Token).RunAsync();
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or FormatException)
            {
                // the peer has gone, or we stop: nobody to tell
            }
            finally
            {
                open.Signal();
            }
        });
    }
}
catch (OperationCanceledException)
{
    open.Signal();
    open.Wait(TimeSpan.FromSeconds(20));
    Console.WriteLine($"{name} has finished");
}
