using System.Diagnostics;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;
using Ashlar.Testing;

namespace Ashlar.Agent.Tests;

/// <summary>A stack in a folder of its own, with its agent, edge and services as real processes; takes everything down at the end.</summary>
internal sealed class AgentRig : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();

    public AgentRig()
    {
        // As root the services run as another user, who must be able to enter.
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        Port = Ports.Free();
    }

    public string Folder => _folder.Path;

    public StateFolder State => StateFolder.Of(Folder);

    /// <summary>Port of the edge.</summary>
    public int Port { get; }

    public Uri Url => new($"http://127.0.0.1:{Port}/");

    /// <summary>What the agent has said.</summary>
    public string Log => File.Exists(State.AgentLog) ? File.ReadAllText(State.AgentLog) : "";

    /// <summary>A stack of services, each with its lines of YAML.</summary>
    public void Services(string yaml) => _folder.Write("ashlar.yaml", $"name: rig\ndashboard: off\nedge: {{listen: {{http: \"127.0.0.1:{Port}\"}}}}\nservices:\n{Indent(yaml)}");

    /// <summary>A server that answers with a text, and can be told to misbehave by files in its folder.</summary>
    public void App(string name = "app.py") => _folder.Write(name, """
        import http.server, os, sys, time
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def do_GET(self):
                if self.path.startswith("/slow"): time.sleep(float(self.path[6:]))
                body = (os.environ.get("ASHLAR_INSTANCE", "?") + " " + str(os.getpid())).encode()
                self.send_response(503 if os.path.exists(os.environ["SICK"]) else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *args): pass
        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True
        Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
        """.ReplaceLineEndings("\n"));

    /// <summary>The lines of a service that runs <see cref="App"/>.</summary>
    public string Web(int instances = 1, string more = "") =>
        $"web:\n  run: python3 {Folder}/app.py\n  route: /\n  health: /\n  instances: {instances}\n  env: {{SICK: {Folder}/sick}}\n{Indent(more)}";

    public void Write(string relative, string text) => _folder.Write(relative, text);

    public void Delete(string relative) => File.Delete(Path.Combine(Folder, relative));

    /// <summary>A connection to the agent, which is started if there is none.</summary>
    public Task<AgentClient> AgentAsync(string? program = null) => AgentLauncher.EnsureRunningAsync(Folder, program ?? TestProgram.Path);

    /// <summary>Brings the stack up; gives what was told on the way.</summary>
    public async Task<List<string>> UpAsync(AgentClient client, List<string>? told = null)
    {
        var progress = told ?? [];
        await client.CallAsync<UpArguments, UpResult>(AgentVerbs.Up, new UpArguments(Folder), progress.Add).WaitAsync(Patience);
        return progress;
    }

    /// <summary>Gives an order about services or instances.</summary>
    public static async Task OrderAsync(AgentClient client, string verb, params string[] targets) =>
        await client.CallAsync<TargetArguments, StatusReport>(verb, new TargetArguments([.. targets])).WaitAsync(Patience);

    public static async Task ScaleAsync(AgentClient client, string service, int count) =>
        await client.CallAsync<ScaleArguments, StatusReport>(AgentVerbs.Scale, new ScaleArguments(
            System.Collections.Immutable.ImmutableSortedDictionary<string, int>.Empty.Add(service, count))).WaitAsync(Patience);

    public static async Task DownAsync(AgentClient client, bool now = false) =>
        await client.CallAsync<DownArguments, StatusReport>(AgentVerbs.Down, new DownArguments(now)).WaitAsync(Patience);

    /// <summary>Instances of a service as the status shows them.</summary>
    public static async Task<InstanceReport[]> InstancesAsync(AgentClient client, string service)
    {
        var status = await client.StatusAsync();
        return [.. status.Tiers.SelectMany(t => t.Services).Where(s => s.Name == service).SelectMany(s => s.Instances)];
    }

    /// <summary>The status as soon as something holds of it.</summary>
    public async Task<StatusReport> WhenAsync(Func<StatusReport, bool> holds, string what, int seconds = 60)
    {
        await using var client = (await AgentClient.FindAsync(Folder))!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            await foreach (var reply in client.SendAsync(AgentVerbs.Watch, AgentJson.Nothing, patience.Token))
            {
                var status = System.Text.Json.JsonSerializer.Deserialize(reply.Data!.Value, AgentJson.Default.StatusReport)!;
                if (holds(status))
                {
                    return status;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }

        throw new TimeoutException($"{what}\n{Log}");
    }

    public static IEnumerable<InstanceReport> Of(StatusReport status, string service) =>
        status.Tiers.SelectMany(t => t.Services).Where(s => s.Name == service).SelectMany(s => s.Instances);

    /// <summary>Kills a process and waits until it is gone.</summary>
    public static async Task KillAsync(int pid)
    {
        using var process = Process.GetProcessById(pid);
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(Patience);
    }

    public static bool IsAlive(int pid)
    {
        try
        {
            return !File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].TrimStart().StartsWith('Z');
        }
        catch (IOException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (AgentClient.TryConnect(Folder) is { } client)
        {
            await using (client)
            {
                var pid = client.AgentPid;
                try
                {
                    await DownAsync(client, now: true);
                }
                catch (Errors.AshlarException e) when (e.Error.Code == "ASH4020")
                {
                    // The test has taken it down, and it was ending while we connected.
                }

                while (IsAlive(pid))
                {
                    await Task.Delay(10);
                }
            }
        }

        _folder.Dispose();
    }

    private static string Indent(string text) => string.Concat(text.Split('\n').Select(l => l.Length == 0 ? "" : $"  {l}\n"));
}
