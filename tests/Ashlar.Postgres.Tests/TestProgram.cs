using Ashlar.Agent.Api;
using Ashlar.Agent.Hosting;
using Ashlar.Catalog;
using Ashlar.Edge;

namespace Ashlar.Postgres.Tests;

/// <summary>This program as the agent, as the edge, and as what becomes a server.</summary>
internal static class TestProgram
{
    /// <summary>Absolute path of the program.</summary>
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "Ashlar.Postgres.Tests");

    private static async Task<int> Main(string[] arguments) => arguments switch
    {
        ["agent", .. var rest] => await AgentHost.MainAsync(rest),
        ["edge", .. var rest] => await EdgeTier.RunAsync(rest),
        ["postgres", .. var rest] => await PostgresProcess.RunAsync(rest),
        ["up-and-down", var folder] => await UpAndDownAsync(folder),
        ["--version"] => 0,
        _ => 2,
    };

    // As the user that this program is run as: agents trust nobody else.
    private static async Task<int> UpAndDownAsync(string folder)
    {
        await using var agent = await AgentLauncher.EnsureRunningAsync(folder, Path);
        await agent.CallAsync<UpArguments, UpResult>(AgentVerbs.Up, new UpArguments(folder));
        var pid = File.ReadLines(System.IO.Path.Combine(folder, ".ashlar/data/database.1/pg/postmaster.pid")).First();
        Console.WriteLine(File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)));
        await agent.CallAsync<DownArguments, StatusReport>(AgentVerbs.Down, new DownArguments(true));
        await agent.EndedAsync();
        return 0;
    }
}
