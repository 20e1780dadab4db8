using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Ashlar.Agent.Api;
using Ashlar.Testing;

namespace Ashlar.Agent.Tests;

/// <summary>What systemd is told, by the protocol of sd_notify(3), on a datagram socket of our own.</summary>
public sealed class SystemdTests
{
    [Fact]
    public async Task SystemdIsToldWhenTheAgentIsReadyLivesAndStops()
    {
        await using var rig = new AgentRig();
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "notify");
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(path));
        rig.Services("worker:\n  run: sleep 1000\n");

        var start = new ProcessStartInfo(TestProgram.Path, ["agent", "--stack", rig.Folder])
        {
            RedirectStandardError = true,
            Environment = { ["NOTIFY_SOCKET"] = path, ["WATCHDOG_USEC"] = "200000" },
        };
        using var agent = Process.Start(start)!;
        _ = agent.StandardError.ReadToEndAsync();
        Assert.Equal($"READY=1\nMAINPID={agent.Id}", await PastWatchdogAsync(systemd));
        await using (var client = AgentClient.TryConnect(rig.Folder)!)
        {
            Assert.Equal(agent.Id, client.AgentPid);
            Assert.Equal("WATCHDOG=1", await NextAsync(systemd));
            Assert.Equal("WATCHDOG=1", await NextAsync(systemd));
            await AgentRig.DownAsync(client);
        }

        Assert.Equal("STOPPING=1", await PastWatchdogAsync(systemd));
        await agent.WaitForExitAsync().WaitAsync(AgentRig.Patience);
        Assert.Equal(0, agent.ExitCode);
    }

    private static async Task<string> PastWatchdogAsync(Socket socket)
    {
        string said;
        do
        {
            said = await NextAsync(socket);
        }
        while (said == "WATCHDOG=1");
        return said;
    }

    private static async Task<string> NextAsync(Socket socket)
    {
        var buffer = new byte[4096];
        var length = await socket.ReceiveAsync(buffer).WaitAsync(AgentRig.Patience);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }
}
