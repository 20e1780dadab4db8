using Ashlar.Agent.Hosting;
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
        ["--version"] => 0,
        _ => 2,
    };
}
