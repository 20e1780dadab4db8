using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Ashlar.Edge.Gateways.Cgi;
using Ashlar.Edge.Tests.WebServer;
using Ashlar.Stack;

namespace Ashlar.Edge.Tests.Gateways.Cgi;

/// <summary>An edge in front of a host that runs the scripts of a folder.</summary>
internal sealed class CgiRig : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private CgiRig(WebRig web, CgiServer server, ConcurrentQueue<string> said)
    {
        Web = web;
        Server = server;
        Said = said;
    }

    public WebRig Web { get; }

    public CgiServer Server { get; }

    public string Folder => Web.Folder;

    /// <summary>What the host has said.</summary>
    public ConcurrentQueue<string> Said { get; }

    /// <summary>Scripts of the shell, by the path below the root.</summary>
    public static async Task<CgiRig> StartAsync(
        Dictionary<string, string> scripts, WebDefinition? rules = null, string? root = "cgi", string? run = null, int processes = 8, double seconds = 60, string[]? tries = null)
    {
        var said = new ConcurrentQueue<string>();
        var web = await WebRig.StartAsync(rules ?? new WebDefinition(), folder =>
        {
            Directory.CreateDirectory(Path.Combine(folder, "cgi"));
            foreach (var (name, text) in scripts)
            {
                Add(folder, name, text);
            }
        });
        var options = new CgiOptions("web.1", new IPEndPoint(IPAddress.Loopback, 0), processes, TimeSpan.FromSeconds(seconds)) { Root = root, Run = run };
        var environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["OWN"] = "mine", ["PORT"] = "1", ["REMOTE_USER"] = "nobody" };
        var server = new CgiServer(options, web.Folder, environment, said.Enqueue);
        web.Edge.Serve(
            service => service with
            {
                Interface = "cgi", Root = root, Folder = web.Folder, TryFiles = [.. tries ?? []],
                Instances = [.. service.Instances.Select(instance => instance with { Folder = web.Folder })],
            },
            ((IPEndPoint)server.EndPoint).Port);
        return new CgiRig(web, server, said);
    }

    public Task<(string Head, string Body)> GetAsync(string path, params string[] fields) => Web.GetAsync(path, fields);

    /// <summary>Waits until the host has said a line with this in it.</summary>
    public async Task<string> SaysAsync(string part)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            if (Said.FirstOrDefault(line => line.Contains(part, StringComparison.Ordinal)) is { } line)
            {
                return line;
            }

            Assert.True(waited.Elapsed < _patience, $"'{part}' is not said, but: {string.Join(" | ", Said)}");
            await Task.Delay(10);
        }
    }

    /// <summary>Waits for a file that a script writes, and gives what is in it.</summary>
    public async Task<string> FileAsync(string name)
    {
        var path = Path.Combine(Folder, "cgi", name);
        var waited = Stopwatch.StartNew();
        while (!File.Exists(path) || File.ReadAllText(path) is not { Length: > 0 } text || text[^1] != '\n')
        {
            Assert.True(waited.Elapsed < _patience, $"{name} is not there");
            await Task.Delay(10);
        }

        return File.ReadAllText(path).Trim();
    }

    /// <summary>Waits until a process runs no more.</summary>
    public static async Task GoneAsync(string pid)
    {
        var waited = Stopwatch.StartNew();
        while (Runs(pid))
        {
            Assert.True(waited.Elapsed < _patience, $"process {pid} runs still");
            await Task.Delay(10);
        }
    }

    public static bool Runs(string pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1][0] != 'Z';
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Server.Stop();
        Server.Stop();
        Server.Dispose();
        await Web.DisposeAsync();
    }

    private static void Add(string folder, string name, string text)
    {
        var path = Path.Combine(folder, "cgi", name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text.StartsWith("#!", StringComparison.Ordinal) || text.Length == 0 ? text : "#!/bin/sh\n" + text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
