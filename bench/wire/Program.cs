// Nanoseconds to read a head and write the one that goes on, on one thread, after the JIT's last tier.
// Run: dotnet run -c Release --project bench/wire

using System.Diagnostics;
using System.Net;
using System.Text;
using Ashlar.Http.Wire;

const string Browser =
    "GET /products/list?page=2&sort=price HTTP/1.1\r\nHost: storefront.test\r\nConnection: keep-alive\r\n"
    + "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n"
    + "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    + "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    + "Referer: http://storefront.test/products\r\nSec-Fetch-Mode: navigate\r\nUpgrade-Insecure-Requests: 1\r\n"
    + "Cookie: session=4f2c1a9be07d4c55b7c1f0a2d3e4f5a6; theme=dark; _ga=GA1.2.1234567890.1700000000\r\n\r\n";
const string Tiny = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const string Answer =
    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    + "Server: Kestrel\r\nContent-Length: 1024\r\nCache-Control: no-cache\r\n\r\n";

var peer = new ForwardedPeer(IPAddress.Parse("192.0.2.7"), secure: false, port: 8080);
var ids = new RequestIds();
var request = new RequestHead();
var response = new ResponseHead();
var date = default(DateLine);
var destination = new byte[16 * 1024];
var id = new byte[RequestIds.Length];

Measure("browser request, parse", Request(Browser, forward: false));
Measure("browser request, parse and forward", Request(Browser, forward: true));
Measure("tiny request, parse", Request(Tiny, forward: false));
Measure("tiny request, parse and forward", Request(Tiny, forward: true));
Measure("response, parse and forward", Response(Answer));
Measure("request id", () => ids.Next(1_700_000_000_000, id));

Action Request(string text, bool forward)
{
    var bytes = Encoding.Latin1.GetBytes(text);
    return () =>
    {
        request.Reset();
        if (request.Parse(bytes, HttpLimits.Default) != ParseStatus.Done)
        {
            throw new InvalidOperationException(request.Problem?.ToString());
        }

        if (forward)
        {
            ids.Next(1_700_000_000_000, id);
            var context = new ForwardContext { Peer = peer, RequestId = id, UnixMilliseconds = 1_700_000_000_000 };
            ForwardWriter.WriteRequest(destination, bytes, request, in context);
        }
    };
}

Action Response(string text)
{
    var bytes = Encoding.Latin1.GetBytes(text);
    return () =>
    {
        response.Reset();
        response.Parse(bytes, HttpLimits.Default, KnownMethod.Get);
        var context = new ResponseContext { ClientVersion = 11, KeepAlive = true, DateLine = date.At(1_700_000_000_000) };
        ForwardWriter.WriteResponse(destination, bytes, response, in context, out _);
    };
}

static void Measure(string what, Action action)
{
    const int Rounds = 1_001; // short ones, so that many fit between two of the scheduler's decisions
    const int Loop = 2_000;
    var nanoseconds = new double[Rounds];
    var allocated = 0L;
    for (var round = 0; round < Rounds; round++)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < Loop; i++)
        {
            action();
        }

        nanoseconds[round] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / Loop;
        allocated = GC.GetAllocatedBytesForCurrentThread() - before;
    }

    Array.Sort(nanoseconds);
    Console.WriteLine(
        $"{what,-38} {nanoseconds[Rounds / 2],7:F1} ns (best {nanoseconds[0]:F1}), {(double)allocated / Loop:F2} bytes allocated");
}
