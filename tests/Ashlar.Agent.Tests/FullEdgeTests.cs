using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Agent.Tests;

/// <summary>An edge that may open no more files: clients wait, it says why, and it goes on.</summary>
public sealed class FullEdgeTests
{
    // More than the edge may open, and fewer than wait in the socket's queue.
    private const int Clients = 100;
    private const int FilesMore = 20;

    [Fact]
    public async Task AtItsLimitOfFilesItSaysSoAndGoesOnWhenItMay()
    {
        await using var rig = new AgentRig();
        rig.App();
        rig.Services(rig.Web());
        await using var client = await rig.AgentAsync();
        await rig.UpAsync(client);
        var edge = (await AgentRig.InstancesAsync(client, "edge"))[0].Pids[0];
        var files = Directory.EnumerateFileSystemEntries($"/proc/{edge}/fd").Max(path => int.Parse(Path.GetFileName(path)));
        await LimitAsync(edge, files + FilesMore);

        var waiting = new List<Socket>();
        try
        {
            for (var i = 0; i < Clients; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                waiting.Add(socket);
                await socket.ConnectAsync(IPAddress.Loopback, rig.Port).WaitAsync(AgentRig.Patience);
            }

            await SaysAsync(rig, "ASH3015");
            await LimitAsync(edge, files + (4 * Clients));
            await waiting[^1].SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: rig\r\n\r\n"));
            var answer = new byte[1024];
            var length = await waiting[^1].ReceiveAsync(answer).WaitAsync(AgentRig.Patience);
            Assert.StartsWith("HTTP/1.1 200 OK", Encoding.ASCII.GetString(answer, 0, length), StringComparison.Ordinal);
        }
        finally
        {
            waiting.ForEach(socket => socket.Dispose());
        }

        Assert.Equal(edge, (await AgentRig.InstancesAsync(client, "edge"))[0].Pids[0]);
    }

    // Only the soft limit, so that an ordinary user may raise it again.
    private static async Task LimitAsync(int pid, int files)
    {
        string[] change = ["prlimit", "--pid", $"{pid}", $"--nofile={files}:"];

        // Run as root, the edge is another user's, and a container's root may lack the right to change that one's limits.
        var status = File.ReadAllLines($"/proc/{pid}/status");
        string Id(string kind) => status.First(line => line.StartsWith(kind, StringComparison.Ordinal)).Split('\t')[1];
        using var prlimit = Process.Start("setpriv", Environment.IsPrivilegedProcess ? ["--reuid", Id("Uid:"), "--regid", Id("Gid:"), "--clear-groups", .. change] : change);
        await prlimit.WaitForExitAsync();
        Assert.Equal(0, prlimit.ExitCode);
    }

    private static async Task SaysAsync(AgentRig rig, string text)
    {
        var path = rig.State.LogOf("edge.1");
        using var patience = new CancellationTokenSource(AgentRig.Patience);
        while (!(await File.ReadAllTextAsync(path, patience.Token)).Contains(text, StringComparison.Ordinal))
        {
            await Task.Delay(20, patience.Token);
        }
    }
}
