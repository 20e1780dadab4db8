using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Ashlar.Testing;

/// <summary>A stack in a folder of its own, driven by the real program; taken down, and looked for what it left behind, at the end.</summary>
public sealed class StackRig : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly string _app;

    /// <summary>A stack whose edge listens on a free port of loopback. <c>@PORT@</c> in the text stands for it, <c>@APP@</c> for the test app.</summary>
    public StackRig(string yaml, string folderName = "stack")
    {
        // The service user of an agent run as root must be able to enter, and to read the app wherever the checkout lies.
        _folder = new TempFolder("ashlar-rig-");
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        Port = Ports.Free();
        Folder = Directory.CreateDirectory(Path.Combine(_folder.Path, folderName)).FullName;
        _app = StackFolder.CopyApp(_folder.Path, Checkout.TestApp);
        Write("ashlar.yaml", yaml);
    }

    /// <summary>The usual stack: the test app as <c>web</c>.</summary>
    public static StackRig Web(int instances = 1, string more = "") => new($$"""
        name: rig
        services:
          web:
            run: "'@APP@'"
            route: /
            health: /up
            instances: {{instances}}
        {{more}}
        edge:
          listen: {http: "127.0.0.1:@PORT@"}
        """);

    /// <summary>The stack's folder.</summary>
    public string Folder { get; }

    /// <summary>The edge's port.</summary>
    public int Port { get; }

    /// <summary>The edge's address.</summary>
    public IPEndPoint Edge => new(IPAddress.Loopback, Port);

    /// <summary>Writes a file of the stack.</summary>
    public void Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text.Replace("@PORT@", Port.ToString(CultureInfo.InvariantCulture)).Replace("@APP@", _app));
    }

    /// <summary>Runs a verb on this stack.</summary>
    public Task<ProgramResult> AshlarAsync(params string[] arguments) =>
        ProgramRun.RunAsync(Checkout.Ashlar, [.. arguments, "--stack", Folder], environment: new Dictionary<string, string?> { ["NO_COLOR"] = "1" });

    /// <summary>Runs a verb that must succeed.</summary>
    public async Task<string> DoAsync(params string[] arguments)
    {
        var result = await AshlarAsync(arguments);
        return result.ExitCode == 0 ? result.Output : throw new InvalidOperationException($"ashlar {string.Join(' ', arguments)}: {result}\n{AgentLog()}");
    }

    /// <summary>Brings it up and waits until it is healthy.</summary>
    public Task<string> UpAsync() => DoAsync("up", "--detach");

    /// <summary>An instance as <c>ps --json</c> shows it.</summary>
    public async Task<JsonElement> InstanceAsync(string name) => StackFolder.Instance(await DoAsync("ps", "--json"), name);

    /// <summary>The pid of an instance's leader.</summary>
    public async Task<int> PidAsync(string name) => (await InstanceAsync(name)).GetProperty("pids")[0].GetInt32();

    /// <summary>The end of the agent's log, for messages of failed tests.</summary>
    public string AgentLog() => StackFolder.AgentLog(Folder);

    /// <summary>Processes that still carry this stack's folder in their command, environment or working folder.</summary>
    public IReadOnlyList<string> Leftovers()
    {
        var found = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            try
            {
                var command = File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
                if (command.Contains(Folder, StringComparison.Ordinal)
                    || new FileInfo(Path.Combine(process, "cwd")).LinkTarget?.StartsWith(Folder, StringComparison.Ordinal) == true
                    || File.ReadAllText(Path.Combine(process, "environ")).Contains(Folder, StringComparison.Ordinal))
                {
                    found.Add($"{Path.GetFileName(process)} {command}");
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // gone, or not ours
            }
        }
        return found;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        var down = await AshlarAsync("down", "--now");
        var log = AgentLog();
        var left = Leftovers();
        foreach (var line in left)
        {
            System.Diagnostics.Process.GetProcessById(int.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture)).Kill();
        }
        _folder.Dispose();
        if (left.Count > 0)
        {
            throw new InvalidOperationException("The stack left processes behind:\n" + string.Join('\n', left) + $"\nashlar down --now: {down}\n{log}");
        }
    }
}
