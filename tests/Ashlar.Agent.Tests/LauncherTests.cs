using Ashlar.Agent.Hosting;
using Ashlar.Errors;
using Ashlar.Testing;

namespace Ashlar.Agent.Tests;

public sealed class LauncherTests
{
    [Fact]
    public async Task AnAgentWhoseLogCannotBeWrittenIsNotStarted()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(Path.Combine(folder.Path, ".ashlar/logs/agent.log"));
        var refused = await Assert.ThrowsAsync<AshlarException>(() => AgentLauncher.EnsureRunningAsync(folder.Path, "/bin/false"));
        Assert.Equal("ASH4004", refused.Error.Code);
    }
}
