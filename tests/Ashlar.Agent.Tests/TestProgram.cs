using Ashlar.Agent.Hosting;
using Ashlar.Dashboard;
using Ashlar.Edge;
using Ashlar.Engines;

namespace Ashlar.Agent.Tests;

/// <summary>This program as the agent and as the edge, for what a test cannot show within one process: death and replacement.</summary>
internal static class TestProgram
{
    /// <summary>Absolute path of the program.</summary>
    public static string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "Ashlar.Agent.Tests");

    private static async Task<int> Main(string[] arguments) => arguments switch
    {
        ["agent", .. var rest] => await AgentHost.MainAsync(rest),
        ["edge", .. var rest] => await EdgeTier.RunAsync(rest),
        ["dashboard", .. var rest] => await DashboardTier.RunAsync(rest),
        [var word, .. var rest] when EngineStart.Serves(word) => await EngineStart.RunAsync(word, rest),
        ["--version"] => 0,
        _ => 2,
    };
}
