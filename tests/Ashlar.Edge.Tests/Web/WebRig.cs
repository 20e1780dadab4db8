using Ashlar.Catalog;
using Ashlar.Edge.Forwarding;
using Ashlar.Edge.Tests.Forwarding;
using Ashlar.Stack;
using Ashlar.Testing;

namespace Ashlar.Edge.Tests.WebServer;

/// <summary>An edge that is a web server in front of one app, with a folder of files.</summary>
internal sealed class WebRig : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ScriptedApp _app;

    private WebRig(ScriptedApp app, EdgeRig edge)
    {
        _app = app;
        Edge = edge;
    }

    public EdgeRig Edge { get; }

    public string Folder => _folder.Path;

    /// <summary>An edge with these rules; the app answers with the first line of what it was asked.</summary>
    public static async Task<WebRig> StartAsync(WebDefinition web, Action<string>? files = null, Func<CatalogService, CatalogService>? service = null, ScriptedApp? app = null, ForwardingOptions? options = null)
    {
        app ??= ScriptedApp.Answering((head, _) =>
        {
            var line = head[..head.IndexOf('\r')];
            return $"HTTP/1.1 200 OK\r\nServer: app\r\nContent-Length: {line.Length}\r\n\r\n{line}";
        });
        var rig = new WebRig(app, await EdgeRig.StartAsync(options ?? new ForwardingOptions()));
        files?.Invoke(rig.Folder);
        rig.Edge.Change = snapshot => snapshot with { Web = web, Folder = rig.Folder };
        rig.Edge.Serve(one => (service ?? (static same => same))(one with { Folder = rig.Folder }), app.Port);
        return rig;
    }

    /// <summary>An edge with one rule.</summary>
    public static Task<WebRig> StartAsync(RuleDefinition rule) => StartAsync(new WebDefinition { Rules = [rule] });

    public Task<(string Head, string Body)> GetAsync(string path, params string[] fields) => AskAsync("GET", path, fields);

    public Task<(string Head, string Body)> AskAsync(string method, string path, params string[] fields) =>
        Edge.AskAsync($"{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{string.Concat(fields.Select(field => field + "\r\n"))}\r\n");

    public async ValueTask DisposeAsync()
    {
        await Edge.DisposeAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
    }
}
