using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;
using Ashlar.Testing;
using Npgsql;

namespace Ashlar.Postgres.Tests.Clusters;

/// <summary>A stack with a database and a worker, under an agent of its own; taken down at the end.</summary>
internal sealed class ClusterRig : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly TempFolder _folder = new();

    public ClusterRig(string database, string more = "")
    {
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        Write(database, more);
    }

    public string Folder => _folder.Path;

    public StateFolder State => StateFolder.Of(Folder);

    public string Log => File.Exists(State.AgentLog) ? File.ReadAllText(State.AgentLog) : "";

    public void Write(string database, string more = "") => _folder.Write("ashlar.yaml", $$"""
        name: rig
        edge: {listen: {http: "127.0.0.1:{{Ports.Free()}}" } }
        dashboard: off
        services: {worker: {run: sleep 1000} }
        database: {{database}}
        {{more}}
        """);

    public Task<AgentClient> AgentAsync() => AgentLauncher.EnsureRunningAsync(Folder, TestProgram.Path);

    public async Task UpAsync()
    {
        await using var agent = await AgentAsync();
        await agent.CallAsync<UpArguments, UpResult>(AgentVerbs.Up, new UpArguments(Folder)).WaitAsync(Patience);
    }

    public async Task DownAsync()
    {
        await using var agent = await AgentAsync();
        await agent.CallAsync<DownArguments, StatusReport>(AgentVerbs.Down, new DownArguments(Now: false)).WaitAsync(Patience);
        await agent.EndedAsync(CancellationToken.None).WaitAsync(Patience);
    }

    public async Task OrderAsync(string verb, params string[] targets)
    {
        await using var agent = await AgentAsync();
        await agent.CallAsync<TargetArguments, StatusReport>(verb, new TargetArguments([.. targets])).WaitAsync(Patience);
    }

    /// <summary>Orders a number of replicas; gives what is told meanwhile.</summary>
    public async Task<string> ScaleAsync(int replicas)
    {
        await using var agent = await AgentAsync();
        var told = new System.Text.StringBuilder();
        await agent.CallAsync<ScaleArguments, StatusReport>(AgentVerbs.Scale,
            new ScaleArguments(ImmutableSortedDictionary<string, int>.Empty.Add("database.replicas", replicas)), line => told.AppendLine(line)).WaitAsync(Patience);
        return told.ToString();
    }

    public async Task<int> AgentPidAsync()
    {
        await using var agent = await AgentAsync();
        return (await agent.CallAsync<StatusReport>(AgentVerbs.Status, AgentJson.Nothing).WaitAsync(Patience))!.Agent.Pids[0];
    }

    public async Task<InstanceReport?> InstanceAsync(string name)
    {
        await using var agent = await AgentAsync();
        var report = await agent.CallAsync<StatusReport>(AgentVerbs.Status, AgentJson.Nothing).WaitAsync(Patience);
        return report!.Tiers.SelectMany(t => t.Services).SelectMany(s => s.Instances).FirstOrDefault(i => i.Name == name);
    }

    public async Task<InstanceReport> UntilAsync(string name, Func<InstanceReport, bool> isSo, string what)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var found = await InstanceAsync(name);
            if (found is not null && isSo(found))
            {
                return found;
            }

            Assert.True(Stopwatch.GetElapsedTime(began) < Patience, $"Not within {Patience.TotalSeconds} s: {name} {what}: {found}\n{Log}");
            await Task.Delay(50);
        }
    }

    public async Task<int> KillAsync(string name)
    {
        var pid = (await InstanceAsync(name))!.Pids[0];
        Process.GetProcessById(pid).Kill();
        return pid;
    }

    /// <summary>A query with the URL that services have in their environment.</summary>
    public async Task<string> AskAsync(string query, string variable = "DATABASE_URL")
    {
        await using var agent = await AgentAsync();
        var found = await agent.CallAsync<EnvironmentArguments, EnvironmentResult>(AgentVerbs.Environment, new EnvironmentArguments("worker")).WaitAsync(Patience);
        var url = new Uri(found!.Environment[variable]);
        var who = url.UserInfo.Split(':');
        return await AskAsync(url.Port, who[0], who[1], url.AbsolutePath[1..], query);
    }

    /// <summary>A query to the primary with all rights.</summary>
    public async Task<string> AdminAsync(string query, int? port = null)
    {
        await using var agent = await AgentAsync();
        var access = await agent.CallAsync<AccessArguments, TierAccess>(AgentVerbs.Access, new AccessArguments("database")).WaitAsync(Patience);
        return await AskAsync(port ?? access!.Port, access!.User, access.Password, access.Database, query);
    }

    public static async Task Until(Func<Task<bool>> isSo, string what) => await Servers.ServerRig.Until(isSo, what);

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(State.Store))
        {
            // One that died is followed by another, which ends what it has left.
            await using var agent = await AgentAsync();
            await agent.CallAsync<DownArguments, StatusReport>(AgentVerbs.Down, new DownArguments(true)).WaitAsync(Patience);
            await agent.EndedAsync(CancellationToken.None).WaitAsync(Patience);
        }

        foreach (var data in Directory.Exists(State.Data) ? Directory.GetDirectories(State.Data) : [])
        {
            Assert.Empty(Remains.Find(Path.Combine(data, "pg")));
        }

        _folder.Dispose();
    }

    private static async Task<string> AskAsync(int port, string user, string password, string database, string query)
    {
        await using var connection = new NpgsqlConnection(Connections.To(port, user, password, database));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(query, connection) { CommandTimeout = 60 };
        return Convert.ToString(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture) ?? "";
    }
}
