using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Ashlar.Testing.Machines;

/// <summary>A machine with a stack: a host, a folder on it, and the real program. It ends with its net.</summary>
public sealed class StackMachine
{
    private readonly string _app;

    /// <summary>Writes the stack's file: <c>@ADDRESS@</c> is the host's address, <c>@PORT@</c> the edge's port, <c>@APP@</c> the test app.</summary>
    /// <param name="host">Where.</param>
    /// <param name="yaml">The file; null: none, as on a machine that is to join.</param>
    /// <param name="app">The test app; null: that of the checkout.</param>
    public StackMachine(MachineHost host, string? yaml, string? app = null)
    {
        Host = host;
        Folder = Directory.CreateDirectory(Path.Combine(host.Folder, "stack")).FullName;
        _app = StackFolder.CopyApp(host.Folder, app ?? Checkout.TestApp);
        if (yaml is not null)
        {
            Write("ashlar.yaml", yaml);
        }
    }

    /// <summary>The usual stack: the test app as <c>web</c>, and an edge that hears the net.</summary>
    public static StackMachine Web(MachineHost host, int instances = 1, string more = "") => new(host, $$"""
        name: rig
        services:
          web:
            run: "'@APP@'"
            route: /
            health: /up
            instances: {{instances}}
        {{more}}
        edge:
          listen: {http: "@ADDRESS@:@PORT@"}
        """);

    /// <summary>The host.</summary>
    public MachineHost Host { get; }

    /// <summary>The stack's folder.</summary>
    public string Folder { get; }

    /// <summary>Where the edge listens. Ports are a host's own, so it is the same one everywhere.</summary>
    public IPEndPoint Edge => new(Host.Address, 8080);

    /// <summary>Writes a file of the stack.</summary>
    public void Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text.Replace("@ADDRESS@", Host.Address.ToString()).Replace("@PORT@", Edge.Port.ToString(CultureInfo.InvariantCulture)).Replace("@APP@", _app));
    }

    /// <summary>Runs a verb on this machine.</summary>
    public Task<ProgramResult> AshlarAsync(params string[] arguments) => RunAsync(null, arguments);

    private Task<ProgramResult> RunAsync(string? input, string[] arguments) =>
        Host.ExecAsync(Checkout.Ashlar, [arguments[0], "--stack", Folder, .. arguments[1..]], environment: new Dictionary<string, string?> { ["NO_COLOR"] = "1" }, input: input);

    /// <summary>Runs a verb that must succeed.</summary>
    public Task<string> DoAsync(params string[] arguments) => DoWithInputAsync(null, arguments);

    /// <summary>Runs a verb that must fail, with what it reads from stdin, and gives what it says.</summary>
    public async Task<string> RefusedAsync(string input, params string[] arguments)
    {
        var result = await RunAsync(input, arguments);
        return result.ExitCode != 0 ? result.Error : throw new InvalidOperationException($"{Host}: ashlar {string.Join(' ', arguments)} succeeded: {result}");
    }

    /// <summary>Starts the agent as a boot does.</summary>
    public void Boot() => Host.Run("setsid", [Checkout.Ashlar, "agent", "--stack", Folder]);

    /// <summary>Runs a verb that must succeed, with what it reads from stdin.</summary>
    public async Task<string> DoWithInputAsync(string? input, params string[] arguments)
    {
        var result = await RunAsync(input, arguments);
        return result.ExitCode == 0
            ? result.Output
            : throw new InvalidOperationException($"{Host}: ashlar {string.Join(' ', arguments)}: {result}\n{AgentLog()}");
    }

    /// <summary>Brings the stack up and waits until it is healthy.</summary>
    public Task<string> UpAsync() => DoAsync("up", "--detach");

    /// <summary>Takes it down; no process may stay on the host (the agent is still ending when the verb has).</summary>
    public async Task DownAsync()
    {
        await DoAsync("down", "--now");
        for (var begin = Stopwatch.StartNew(); Host.Processes() is { Count: > 0 } left; await Task.Delay(20))
        {
            if (begin.Elapsed > TimeSpan.FromSeconds(10))
            {
                throw new InvalidOperationException($"{Host}: the stack left processes behind: {string.Join(", ", left.Select(Describe))}\n{AgentLog()}");
            }
        }
    }

    /// <summary>An instance as <c>ps --json</c> shows it.</summary>
    public async Task<JsonElement> InstanceAsync(string name) => StackFolder.Instance(await DoAsync("ps", "--json"), name);

    /// <summary>The pid of an instance's leader.</summary>
    public async Task<int> PidAsync(string name) => (await InstanceAsync(name)).GetProperty("pids")[0].GetInt32();

    /// <summary>The end of the agent's log, for messages of failed tests.</summary>
    public string AgentLog() => StackFolder.AgentLog(Folder);

    private static string Describe(int pid)
    {
        try
        {
            return $"{pid} {File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ')}";
        }
        catch (IOException)
        {
            return $"{pid} (gone now)";
        }
    }
}
