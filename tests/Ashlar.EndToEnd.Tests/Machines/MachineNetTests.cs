using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Ashlar.Testing;
using Ashlar.Testing.Machines;

namespace Ashlar.EndToEnd.Tests.Machines;

[Trait("Length", "Full")]
public sealed class MachineNetTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [MachinesFact]
    public async Task Hosts_and_this_process_reach_one_another()
    {
        await using var net = await MachineNet.CreateAsync(3);
        foreach (var host in net.Hosts)
        {
            using var server = Server(host);
            await TalkAsync(net[0].OpenSocket(), server);
            await TalkAsync(net[2].OpenSocket(), server);
            await TalkAsync(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp), server);
        }
        using var here = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        here.Bind(new IPEndPoint(net.OwnAddress, 0));
        here.Listen();
        await TalkAsync(net[1].OpenSocket(), here);
    }

    [MachinesFact]
    public async Task Loopback_and_ports_are_each_hosts_own()
    {
        await using var net = await MachineNet.CreateAsync(2);
        using var first = net[0].OpenSocket();
        using var second = net[1].OpenSocket();
        first.Bind(new IPEndPoint(IPAddress.Loopback, 7000));
        second.Bind(new IPEndPoint(IPAddress.Loopback, 7000));
        first.Listen();
        second.Listen();
        await TalkAsync(net[0].OpenSocket(), first);
        await TalkAsync(net[1].OpenSocket(), second);
    }

    [MachinesFact]
    public async Task Programs_run_on_their_host_like_any_other()
    {
        await using var net = await MachineNet.CreateAsync(2);
        var result = await net[1].ExecAsync("sh", ["-c", "hostname; ip -o -4 addr show eth0; pwd; echo $COLOUR; cat; exit 7"],
            environment: new Dictionary<string, string?> { ["COLOUR"] = "red" }, input: "from outside");
        Assert.Equal(7, result.ExitCode);
        Assert.StartsWith("m2\n", result.Output, StringComparison.Ordinal);
        Assert.Contains($" {net[1].Address}/24 ", result.Output, StringComparison.Ordinal);
        Assert.EndsWith($"{net[1].Folder}\nred\nfrom outside\n", result.Output, StringComparison.Ordinal);

        using var process = net[0].Run("sh", ["-c", "echo ready; echo to stderr >&2; exec sleep 1000"]);
        Assert.Contains("to stderr", await process.WaitForOutputAsync("to stderr"), StringComparison.Ordinal);
        Assert.Contains(process.Id, net[0].Processes());
        Assert.Empty(net[1].Processes());
        process.Signal(Signals.Terminate);
        Assert.Equal(128 + Signals.Terminate, await process.WaitForExitAsync());
    }

    [MachinesFact]
    public async Task An_http_client_of_this_process_speaks_from_a_host()
    {
        await using var net = await MachineNet.CreateAsync(2);
        using var server = net[1].Run("python3", ["-m", "http.server", "7000", "--bind", net[1].Address.ToString()]);
        using var client = net[0].CreateHttpClient();
        await UntilAsync(async () => (await client.GetAsync($"http://{net[1].Address}:7000/")).IsSuccessStatusCode);
    }

    [MachinesFact(HostNeed.Delay)]
    public async Task Delay_shows_in_the_round_trip_and_ends()
    {
        await using var net = await MachineNet.CreateAsync(2);
        await net.DelayAsync(net[0], TimeSpan.FromMilliseconds(150), TimeSpan.FromMilliseconds(20));
        using var server = Server(net[1]);
        var begin = Stopwatch.GetTimestamp();
        await TalkAsync(net[0].OpenSocket(), server);
        Assert.True(Stopwatch.GetElapsedTime(begin) >= TimeSpan.FromMilliseconds(130), $"{Stopwatch.GetElapsedTime(begin)}");

        // More than fits in a packet, both ways, through the held back link.
        Assert.Equal(5_000_000, await TransferAsync(net[0], net[1], 5_000_000));
        Assert.Equal(5_000_000, await TransferAsync(net[1], net[0], 5_000_000));

        await net.HealAsync();
        Assert.DoesNotContain("tm0", (await SwitchAsync(net, "link")).Output, StringComparison.Ordinal);
        await TalkAsync(net[0].OpenSocket(), server);
    }

    [MachinesFact]
    public async Task Loss_shows_in_datagrams()
    {
        await using var net = await MachineNet.CreateAsync(2);
        await net.LossAsync(net[0], 50);
        Assert.InRange(await DatagramsAsync(net[0], net[1], 200), 50, 150);
        Assert.Equal(200, await DatagramsAsync(net[1], net[0], 200));
        await net.HealAsync();
        Assert.Equal(200, await DatagramsAsync(net[0], net[1], 200));
    }

    [MachinesFact]
    public async Task A_rate_holds_a_transfer_back()
    {
        await using var net = await MachineNet.CreateAsync(2);
        await net.RateAsync(net[0], 8_000_000);
        foreach (var (from, to) in new[] { (net[0], net[1]), (net[1], net[0]) })
        {
            var begin = Stopwatch.GetTimestamp();
            await TransferAsync(from, to, 1_000_000);
            Assert.True(Stopwatch.GetElapsedTime(begin) > TimeSpan.FromSeconds(0.8), $"{Stopwatch.GetElapsedTime(begin)}");
        }
    }

    [MachinesFact]
    public async Task A_partition_is_silent_both_ways_and_leaves_others_alone()
    {
        await using var net = await MachineNet.CreateAsync(3);
        await net.PartitionAsync(net[0], net[1]);
        Assert.Equal(0, await DatagramsAsync(net[0], net[1], 20));
        Assert.Equal(0, await DatagramsAsync(net[1], net[0], 20));
        Assert.Equal(20, await DatagramsAsync(net[0], net[2], 20));
        Assert.Equal(20, await DatagramsAsync(net[2], net[1], 20));
        await net.HealAsync();
        Assert.Equal(20, await DatagramsAsync(net[0], net[1], 20));
    }

    [MachinesTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_one_way_partition_is_one_way_on_a_slow_link_too(bool slow)
    {
        await using var net = await MachineNet.CreateAsync(2);
        await (slow ? SlowAsync(net, net[0]) : Task.CompletedTask);
        await net.PartitionOneWayAsync(net[0], net[1]);
        Assert.Equal(0, await DatagramsAsync(net[0], net[1], 20));
        Assert.Equal(20, await DatagramsAsync(net[1], net[0], 20));
    }

    [MachinesFact]
    public async Task An_isolated_host_is_heard_by_no_one_and_works_on()
    {
        await using var net = await MachineNet.CreateAsync(3);
        using var server = Server(net[0]);
        await net.IsolateAsync(net[0]);
        Assert.Equal(0, await DatagramsAsync(net[1], net[0], 20));
        Assert.Equal(0, await DatagramsAsync(net[0], net[2], 20));
        Assert.Equal(20, await DatagramsAsync(net[1], net[2], 20));
        await TalkAsync(net[0].OpenSocket(), server);
        Assert.Equal(0, (await net[0].ExecAsync("true", [])).ExitCode);
        using var here = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var connecting = here.ConnectAsync(server.LocalEndPoint!);
        await net.HealAsync();
        await connecting.WaitAsync(Soon);
    }

    [MachinesFact]
    public async Task Killing_a_host_leaves_no_process_and_sends_no_farewell()
    {
        await using var net = await MachineNet.CreateAsync(2);
        // Deaf to SIGTERM, in sessions of their own, one of them frozen.
        using var process = net[0].Run("sh", ["-c", "trap '' TERM; for i in 1 2 3; do setsid sleep 1000 & done; echo ready; wait"]);
        await process.WaitForOutputAsync("ready");
        var all = net[0].Processes();
        Signals.Send(all[^1], Signals.Stop);
        using var server = net[0].Run("python3", ["-c", """
            import socket
            server = socket.create_server(("0.0.0.0", 7000))
            print("listening", flush=True)
            peer = server.accept()[0]
            peer.sendall(b"hello")
            peer.recv(1)
            """]);
        await server.WaitForOutputAsync("listening");
        using var socket = net[1].OpenSocket();
        await socket.ConnectAsync(net[0].Address, 7000);
        Assert.Equal(5, await socket.ReceiveAsync(new byte[5]));

        await net.KillAsync(net[0]);
        Assert.True(process.HasExited && server.HasExited);
        Assert.Empty(net[0].Processes());
        Assert.All(all, pid => Assert.False(Lives(pid), $"{pid} is left"));
        Assert.False(socket.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead)); // neither end nor reset
        Assert.False(net[0].IsOn);

        var file = Path.Combine(net[0].Folder, "kept");
        await File.WriteAllTextAsync(file, "");
        await net.PowerOnAsync(net[0]);
        Assert.True(File.Exists(file));
        using var again = Server(net[0]);
        await TalkAsync(net[1].OpenSocket(), again);
    }

    [MachinesFact(HostNeed.Delay)]
    public async Task A_host_keeps_its_faults_when_it_is_switched_off_and_on()
    {
        await using var net = await MachineNet.CreateAsync(2);
        await net.DelayAsync(net[0], TimeSpan.FromMilliseconds(150));
        await net.KillAsync(net[0]);
        await net.PowerOnAsync(net[0]);
        using var server = Server(net[1]);
        var begin = Stopwatch.GetTimestamp();
        await TalkAsync(net[0].OpenSocket(), server);
        Assert.True(Stopwatch.GetElapsedTime(begin) >= TimeSpan.FromMilliseconds(150));
    }

    [MachinesFact]
    public async Task Frozen_processes_wait_and_go_on()
    {
        await using var net = await MachineNet.CreateAsync(1);
        using var process = net[0].Run("sh", ["-c", "while sleep 0.01; do echo .; done"]);
        await process.WaitForOutputAsync(".");
        net[0].Freeze();
        await UntilAsync(() => Task.FromResult(net[0].Processes().All(pid => File.ReadAllText($"/proc/{pid}/status").Contains("State:\tT", StringComparison.Ordinal))));
        var written = process.Output.Length;
        net[0].Thaw();
        await UntilAsync(() => Task.FromResult(process.Output.Length > written));
    }

    [MachinesFact(HostNeed.CpuShare)]
    public async Task A_cpu_share_holds_all_processes_of_the_host_together()
    {
        await using var net = await MachineNet.CreateAsync(1);
        net[0].CpuShare(0.25);
        // Two that take 0.3 s of a core each.
        var times = await net[0].ExecAsync("python3", ["-c", """
            import os, time
            begin = time.monotonic()
            for _ in range(2):
                if os.fork() == 0:
                    while time.process_time() < 0.3: pass
                    os._exit(0)
            os.wait(); os.wait()
            print(time.monotonic() - begin)
            """]);
        Assert.True(double.Parse(times.Output, CultureInfo.InvariantCulture) > 1.5, times.ToString());
    }

    [MachinesFact]
    public async Task A_clock_goes_wrong_and_right_again_for_the_programs_of_its_host()
    {
        await using var net = await MachineNet.CreateAsync(2);
        net[0].ClockOffset(TimeSpan.FromHours(1));
        using var process = net[0].Run("bash", ["-c", "while :; do echo $EPOCHSECONDS; sleep 0.05; done"]);
        await process.WaitForOutputAsync("\n");
        Assert.InRange(Off(process.Output.Split('\n')[0]), 3500, 3700);
        Assert.InRange(Off((await net[1].ExecAsync("date", ["+%s"])).Output), -100, 100);
        net[0].ClockOffset(TimeSpan.Zero);
        await UntilAsync(() => Task.FromResult(Math.Abs(Off(process.Output.Split('\n')[^2])) < 100));

        static double Off(string line) => double.Parse(line, CultureInfo.InvariantCulture) - DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    }

    [MachinesFact]
    public async Task Nets_in_parallel_do_not_meet_and_leave_nothing()
    {
        var names = await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            await using var net = await MachineNet.CreateAsync(3);
            net[2].Run("sh", ["-c", "setsid sleep 1000 & sleep 1000"]);
            await SlowAsync(net, net[1]);
            using var server = Server(net[0]);
            await TalkAsync(net[1].OpenSocket(), server);
            await TalkAsync(net[2].OpenSocket(), server);
            return net.Name;
        }));
        Assert.Equal(3, names.Distinct().Count());
        Assert.All(names, name => Assert.Empty(Remains(name)));
    }

    [MachinesFact]
    public async Task What_a_crashed_run_left_is_removed_by_the_next()
    {
        using var crashed = ChildProcess.Start("net");
        var name = (await crashed.Output.ReadLineAsync())!;
        Assert.NotEmpty(Remains(name));
        await MachineNet.RemoveStaleAsync();
        Assert.NotEmpty(Remains(name)); // it lives

        crashed.Kill();
        await using var net = await MachineNet.CreateAsync(1);
        Assert.NotEqual(name, net.Name);
        await UntilAsync(() => Task.FromResult(Remains(name).Count == 0)); // another run may be the one that does it
    }

    /// <summary>The role of a run that crashes: see <see cref="ChildRoles"/>.</summary>
    internal static async Task HoldNetAsync()
    {
        var net = await MachineNet.CreateAsync(2);
        if (Environment.IsPrivilegedProcess)
        {
            net[0].CpuShare(0.5);
        }
        using var process = net[0].Run("sh", ["-c", "setsid sleep 1000 & echo ready; sleep 1000"]);
        await process.WaitForOutputAsync("ready");
        await SlowAsync(net, net[1]);
        Console.WriteLine(net.Name);
        await Task.Delay(Timeout.Infinite);
    }

    private static Task SlowAsync(MachineNet net, MachineHost host) => MachineNet.CanDelay ? net.DelayAsync(host, TimeSpan.FromMilliseconds(10)) : Task.CompletedTask;

    private static Socket Server(MachineHost host)
    {
        var socket = host.OpenSocket();
        socket.Bind(new IPEndPoint(host.Address, 0));
        socket.Listen();
        return socket;
    }

    private static async Task TalkAsync(Socket client, Socket server)
    {
        using (client)
        {
            var accepting = server.AcceptAsync();
            await client.ConnectAsync(server.LocalEndPoint!).WaitAsync(Soon);
            using var accepted = await accepting.WaitAsync(Soon);
            await client.SendAsync("hello"u8.ToArray());
            Assert.Equal(5, await accepted.ReceiveAsync(new byte[5]).WaitAsync(Soon));
        }
    }

    private static async Task<long> TransferAsync(MachineHost from, MachineHost to, int bytes)
    {
        using var server = Server(to);
        var receiving = Task.Run(async () =>
        {
            using var accepted = await server.AcceptAsync();
            var (total, buffer) = (0L, new byte[65536]);
            while (await accepted.ReceiveAsync(buffer) is > 0 and var length)
            {
                total += length;
            }
            return total;
        });
        using (var client = from.OpenSocket())
        {
            await client.ConnectAsync(server.LocalEndPoint!).WaitAsync(Soon);
            for (var (sent, data) = (0, new byte[bytes]); sent < bytes;)
            {
                sent += await client.SendAsync(data.AsMemory(sent)).AsTask().WaitAsync(Soon);
            }
        }
        return await receiving.WaitAsync(Soon);
    }

    // How many of the datagrams come.
    private static async Task<int> DatagramsAsync(MachineHost from, MachineHost to, int count)
    {
        using var receiver = to.OpenSocket(type: SocketType.Dgram, protocol: ProtocolType.Udp);
        receiver.Bind(new IPEndPoint(to.Address, 0));
        using var sender = from.OpenSocket(type: SocketType.Dgram, protocol: ProtocolType.Udp);
        for (var i = 0; i < count; i++)
        {
            await sender.SendToAsync(new byte[10], receiver.LocalEndPoint!);
        }
        var came = 0;
        while (came < count && receiver.Poll(TimeSpan.FromMilliseconds(300), SelectMode.SelectRead))
        {
            await receiver.ReceiveAsync(new byte[10]);
            came++;
        }
        return came;
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var begin = Stopwatch.StartNew(); ; await Task.Delay(20))
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (HttpRequestException) when (begin.Elapsed < Soon)
            {
                continue; // not yet
            }
            Assert.True(begin.Elapsed < Soon, "That has not come.");
        }
    }

    private static Task<ProgramResult> SwitchAsync(MachineNet net, string what) => ProgramRun.RunAsync("nsenter", [$"--net={net.SwitchNamespace}", "ip", what]);

    private static IReadOnlyList<string> Remains(string name) =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces().Select(i => i.Name).Where(n => n == name),
        .. Directory.Exists(MachineNet.Namespaces) ? Directory.EnumerateFiles(MachineNet.Namespaces, $"{name}-*") : [],
        .. Directory.EnumerateDirectories(Path.GetTempPath(), $"{name}-*"),
        .. Directory.EnumerateDirectories("/sys/fs/cgroup", name, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 5 }),
        .. Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)).Where(d => Folder(d).Contains($"/{name}-", StringComparison.Ordinal)),
    ];

    private static bool Lives(int pid)
    {
        try
        {
            return !File.ReadAllText($"/proc/{pid}/status").Contains("State:\tZ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string Folder(string process)
    {
        try
        {
            return new FileInfo(Path.Combine(process, "cwd")).LinkTarget + "/";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
