using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Testing;

namespace Ashlar.Agent.Tests;

/// <summary>A stack in a folder of its own with an agent in this process; takes everything down at the end.</summary>
internal sealed class AgentRig : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StringWriter _log = new();
    private Task<int>? _agent;

    public AgentRig() =>
        // As root the services run as another user, who must be able to enter.
        File.SetUnixFileMode(_folder.Path, File.GetUnixFileMode(_folder.Path)
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);

    public string Folder => _folder.Path;

    public string Log => _log.ToString();

    public Task<int> Agent => _agent!;

    public void Write(string relative, string text) => _folder.Write(relative, text);

    public async Task<AgentClient> StartAsync()
    {
        _agent = Task.Run(() => AgentHost.RunAsync(new AgentOptions { StackFolder = Folder, Program = Environment.ProcessPath!, Log = TextWriter.Synchronized(_log) }));
        return await ConnectAsync();
    }

    public async Task<AgentClient> ConnectAsync()
    {
        while (true)
        {
            if (AgentClient.TryConnect(Folder) is { } client)
            {
                return client;
            }

            if (_agent!.IsCompleted)
            {
                throw new InvalidOperationException($"the agent ended with {await _agent}\n{Log}");
            }

            await Task.Delay(10);
        }
    }

    public async Task<(UpResult? Result, List<string> Progress)> UpAsync(AgentClient client)
    {
        var progress = new List<string>();
        return (await client.CallAsync<UpArguments, UpResult>(AgentVerbs.Up, new UpArguments(Folder), progress.Add), progress);
    }

    public async ValueTask DisposeAsync()
    {
        if (_agent is not null && !_agent.IsCompleted)
        {
            await using var client = await ConnectAsync();
            await client.CallAsync<DownArguments, UpResult>(AgentVerbs.Down, new DownArguments(Now: true));
            await _agent;
        }

        _folder.Dispose();
    }
}
