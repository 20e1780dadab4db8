using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Bench;

/// <summary>From the command on a built tree to the first 200 through the edge; then what agent and edge hold and use while idle.</summary>
internal static class UpBenchmark
{
    public static async Task<Outcome> RunAsync(BenchContext context)
    {
        var rounds = context.Quick ? 3 : 9;
        var idle = TimeSpan.FromSeconds(context.Quick ? 10 : 30);
        var fresh = new List<double>();
        var again = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            var folder = Path.Combine(context.Folder, $"hello-{round}");
            var port = Hello(context, folder);
            fresh.Add(await FirstAnswerAsync(context, folder, port));
            await BenchContext.RunAsync(context.Ashlar, "down", "--stack", folder);
            again.Add(await FirstAnswerAsync(context, folder, port));
            await BenchContext.RunAsync(context.Ashlar, "down", "--stack", folder);
        }

        // hello-procfile idle: memory and CPU of agent and edge.
        Hello(context, Path.Combine(context.Folder, "idle"));
        double memory, agentIdle, edgeIdle, agentTwenty;
        await using (var stack = await BenchStack.UpAsync(context, "idle"))
        {
            int agent = await stack.PidAsync("agent"), edge = await stack.PidAsync("edge.1");
            await Task.Delay(TimeSpan.FromSeconds(15));
            (agentIdle, edgeIdle) = await CpuShareAsync(agent, edge, idle);
            memory = (Measure.Pss(agent) + Measure.Pss(edge)) / 1048576.0;
        }
        // Twenty processes: what supervising them costs.
        var twenty = BenchContext.FreePort();
        context.Write("twenty/ashlar.yaml", $"name: twenty\nservices:\n  worker:\n    run: sleep 3600\n    instances: 18\n  web:\n    run: \"'{context.TestApp}'\"\n    route: /\n    instances: 2\nedge:\n  listen: {{http: \"127.0.0.1:{twenty}\"}}\n");
        await using (var stack = await BenchStack.UpAsync(context, "twenty"))
        {
            var agent = await stack.PidAsync("agent");
            await Task.Delay(TimeSpan.FromSeconds(15));
            (agentTwenty, _) = await CpuShareAsync(agent, agent, idle);
        }
        Console.WriteLine($"hello-procfile on a built tree, {rounds} rounds; median (range); aims: first 200 < 3 s, memory < 120 MiB, idle < 0.5 %, 20 processes < 1 %");
        Console.WriteLine($"first 200, fresh folder        {Measure.Median(fresh):N2} s ({fresh.Min():N2}–{fresh.Max():N2})");
        Console.WriteLine($"first 200, second up           {Measure.Median(again):N2} s ({again.Min():N2}–{again.Max():N2})");
        Console.WriteLine($"agent + edge, idle, PSS        {memory:N1} MiB");
        Console.WriteLine($"agent, idle                    {agentIdle:P2} of a core");
        Console.WriteLine($"edge, idle                     {edgeIdle:P2} of a core");
        Console.WriteLine($"agent with 20 processes        {agentTwenty:P2} of a core");
        return new Outcome(
            new Dictionary<string, double>
            {
                ["first-200-seconds"] = Measure.Median(fresh),
                ["agent-edge-pss-mib"] = memory,
                ["idle-cpu-percent"] = (agentIdle + edgeIdle) * 100,
                ["agent-20-cpu-percent"] = agentTwenty * 100,
            },
            new Dictionary<string, double[]> { ["first200.fresh"] = [.. fresh], ["first200.again"] = [.. again] },
            new Dictionary<string, string>());
    }

    private static int Hello(BenchContext context, string folder)
    {
        var port = BenchContext.FreePort();
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(context.Root, "examples/hello-procfile")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }
        File.WriteAllText(Path.Combine(folder, "ashlar.yaml"), $"name: hello\nedge:\n  listen: {{http: \"127.0.0.1:{port}\"}}\n");
        return port;
    }

    private static async Task<double> FirstAnswerAsync(BenchContext context, string folder, int port)
    {
        var clock = Stopwatch.StartNew();
        var up = BenchContext.RunAsync(Path.Combine(context.Root, "ashlar"), "up", "--detach", folder);
        while (!await Is200Async(port))
        {
            if (up.IsFaulted || clock.Elapsed > TimeSpan.FromMinutes(1))
            {
                await up;
                throw new InvalidOperationException("no answer within a minute");
            }
            await Task.Delay(5);
        }
        var seconds = clock.Elapsed.TotalSeconds;
        await up;
        return seconds;
    }

    private static async Task<bool> Is200Async(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
            var head = new byte[12];
            await client.GetStream().ReadExactlyAsync(head);
            return Encoding.ASCII.GetString(head) == "HTTP/1.1 200";
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return false;
        }
    }

    private static async Task<(double First, double Second)> CpuShareAsync(int first, int second, TimeSpan time)
    {
        var clock = Stopwatch.StartNew();
        double a = Own(first), b = Own(second);
        await Task.Delay(time);
        return ((Own(first) - a) / clock.Elapsed.TotalSeconds, (Own(second) - b) / clock.Elapsed.TotalSeconds);

        static double Own(int pid)
        {
            // nanoseconds on the CPU: /proc/PID/stat counts whole ticks, too coarse for a process that sleeps
            return Directory.EnumerateDirectories($"/proc/{pid}/task").Sum(t => double.Parse(File.ReadAllText(Path.Combine(t, "schedstat")).Split(' ')[0])) / 1e9;
        }
    }
}
