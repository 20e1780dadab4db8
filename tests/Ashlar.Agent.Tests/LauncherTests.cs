using System.Net.Sockets;
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

    [Fact]
    public async Task AnAgentThatDiesWithTheConnectionIsNoReasonToFail()
    {
        using var folder = new TempFolder();
        var state = StateFolder.Of(folder.Path);
        state.CreateForLog();
        Directory.CreateDirectory(Path.GetDirectoryName(state.ApiSocket)!);
        using var dying = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dying.Bind(new UnixDomainSocketEndPoint(state.ApiSocket));
        dying.Listen();
        var asked = AgentLauncher.EnsureRunningAsync(folder.Path, "/bin/false");
        using (var connection = await dying.AcceptAsync())
        {
            dying.Dispose();
            File.Delete(state.ApiSocket);
        }

        // So it starts a new one; this one cannot.
        Assert.Equal("ASH4003", (await Assert.ThrowsAsync<AshlarException>(() => asked)).Error.Code);
    }

    [Fact]
    public void TheAgentsLogIsNotForOtherUsers()
    {
        using var folder = new TempFolder();
        var state = StateFolder.Of(folder.Path);
        state.CreateForLog();
        const UnixFileMode others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(state.AgentLog) & others);

        File.SetUnixFileMode(state.AgentLog, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead); // of an older version
        state.Create(null);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(state.AgentLog) & others);
    }
}
