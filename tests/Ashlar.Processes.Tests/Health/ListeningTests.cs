using System.Net;

namespace Ashlar.Processes.Tests.Health;

public sealed class ListeningTests
{
    private static string Listener(string address, string port) =>
        $"exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalAddr => \"{address}\", LocalPort => {port}) or die; "
        + "$| = 1; print \"port \", $s->sockport, \"\\n\"; sleep 1000'";

    private static async Task<(ManagedProcess Process, int Port)> Listening(Lab lab, string address)
    {
        var process = lab.StartShell(Listener(address, "0"));
        var log = await lab.LogHolds("\n");
        return (process, int.Parse(log.Split(' ', '\n')[1]));
    }

    [Fact] // 34
    public async Task An_instance_that_listens_on_its_port_is_right()
    {
        using var lab = new Lab();
        var (process, port) = await Listening(lab, "127.0.0.1");
        Assert.True(await ListeningProbe.IsListeningAsync(new IPEndPoint(IPAddress.Loopback, port)));
        Assert.Null(ListeningProbe.Diagnose("web.1", ProcessTree.Of(process.Identity.Pid), port, TimeSpan.FromSeconds(60)));
        await process.StopAsync(TimeSpan.Zero);
        Assert.False(await ListeningProbe.IsListeningAsync(new IPEndPoint(IPAddress.Loopback, port)));
    }

    [Fact] // 34
    public void An_instance_that_never_listens_is_told_its_port_and_the_time_it_had()
    {
        using var lab = new Lab();
        var process = lab.StartShell("sleep 1000");
        var error = ListeningProbe.Diagnose("web.1", ProcessTree.Of(process.Identity.Pid), 20_001, TimeSpan.FromSeconds(60))!.Error;
        Assert.Equal("ASH2011", error.Code);
        Assert.Contains("web.1 did not listen on port 20001", error.Message);
        Assert.Contains("within 60 s", error.Message);
    }

    [Fact] // 34
    public async Task An_instance_that_listens_elsewhere_is_told_where()
    {
        using var lab = new Lab();
        var (process, port) = await Listening(lab, "127.0.0.1");
        var error = ListeningProbe.Diagnose("web.1", ProcessTree.Of(process.Identity.Pid), port == 20_001 ? 20_002 : 20_001, TimeSpan.FromSeconds(60))!.Error;
        Assert.Equal("ASH2012", error.Code);
        Assert.Contains($"web.1 listens on 127.0.0.1:{port}, not on port 2000", error.Message);
    }

    [Fact] // 35
    public async Task An_instance_on_loopback_is_told_so_when_its_balancer_is_on_another_machine()
    {
        using var lab = new Lab();
        var (process, port) = await Listening(lab, "127.0.0.1");
        var pids = ProcessTree.Of(process.Identity.Pid);
        Assert.Equal("ASH2013", ListeningProbe.Diagnose("web.1", pids, port, TimeSpan.Zero, reachedFromOutside: true)!.Error.Code);
        using var other = new Lab();
        var (open, openPort) = await Listening(other, "0.0.0.0");
        Assert.Null(ListeningProbe.Diagnose("web.1", ProcessTree.Of(open.Identity.Pid), openPort, TimeSpan.Zero, reachedFromOutside: true));
    }
}
