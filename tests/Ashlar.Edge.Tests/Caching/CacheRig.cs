using System.Collections.Concurrent;
using Ashlar.Catalog;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Tests.Forwarding;

namespace Ashlar.Edge.Tests.Caching;

/// <summary>An edge with a cache before an app whose answers a test decides, and which counts what it is asked.</summary>
internal sealed class CacheRig : IAsyncDisposable
{
    private readonly ScriptedApp _app;

    private CacheRig(ScriptedApp app, EdgeRig edge) => (_app, Edge) = (app, edge);

    public EdgeRig Edge { get; }

    /// <summary>The heads of the requests that came to the app.</summary>
    public ConcurrentQueue<string> Asked { get; private init; } = [];

    public static async Task<CacheRig> StartAsync(Func<string, int, string> answer, CatalogCache? settings = null, int loops = 2)
    {
        var asked = new ConcurrentQueue<string>();
        var count = 0;
        var app = ScriptedApp.Answering((head, _) =>
        {
            asked.Enqueue(head);
            return answer(head, Interlocked.Increment(ref count));
        });
        return await StartAsync(app, asked, settings, loops);
    }

    public static async Task<CacheRig> StartAsync(ScriptedApp app, ConcurrentQueue<string>? asked = null, CatalogCache? settings = null, int loops = 2)
    {
        var edge = await EdgeRig.StartAsync(loops, new ForwardingOptions(), app);
        edge.Server.UseCache(settings ?? new CatalogCache { Memory = 64 << 20, StaleIfErrorMs = 60_000 });
        return new CacheRig(app, edge) { Asked = asked ?? [] };
    }

    /// <summary>An answer with these field lines.</summary>
    public static string Answer(string fields, string body = "hello", int status = 200) =>
        $"HTTP/1.1 {status} X\r\nContent-Length: {body.Length}\r\n{fields}\r\n\r\n{body}";

    public Task<(string Head, string Body)> GetAsync(string path = "/", string fields = "") => SendAsync("GET", path, fields);

    public async Task<(string Head, string Body)> SendAsync(string method, string path, string fields = "")
    {
        using var client = await Edge.ConnectAsync();
        await client.SendAsync($"{method} {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
        return await client.ReadResponseAsync(bodiless: method == "HEAD");
    }

    public static string Status(string head) => Field(head, "Cache-Status") ?? "";

    public static string? Field(string head, string name) =>
        head.Split("\r\n").FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();

    public async ValueTask DisposeAsync()
    {
        await Edge.DisposeAsync();
        await _app.DisposeAsync();
    }
}
