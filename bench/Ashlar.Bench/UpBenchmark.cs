namespace Ashlar.Bench;

/// <summary>From the command on a built tree to the first 200 through the edge; then what Ashlar's own processes hold and use while the stack is idle.</summary>
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
            fresh.Add(await FirstAnswer.OfUpAsync(context, folder, port));
            await BenchContext.RunAsync(context.Ashlar, "down", "--stack", folder);
            again.Add(await FirstAnswer.OfUpAsync(context, folder, port));
            await BenchContext.RunAsync(context.Ashlar, "down", "--stack", folder);
        }

        // hello-procfile idle: memory and CPU of agent and edge.
        Hello(context, Path.Combine(context.Folder, "idle"));
        double memory, agentIdle, edgeIdle, agentTwenty, allTwenty;
        await using (var stack = await BenchStack.UpAsync(context, "idle"))
        {
            int agent = await stack.PidAsync("agent"), edge = await stack.PidAsync("edge.1");
            await Task.Delay(TimeSpan.FromSeconds(15));
            var shares = await Measure.CpuSharesAsync(idle, agent, edge);
            (agentIdle, edgeIdle) = (shares[0], shares[1]);
            memory = (Measure.Pss(agent) + Measure.Pss(edge)) / 1048576.0;
        }
        // Twenty processes: what supervising them costs.
        var twenty = BenchContext.FreePort();
        context.Write("twenty/ashlar.yaml", $"name: twenty\nservices:\n  worker:\n    run: sleep 3600\n    instances: 18\n  web:\n    run: \"'{context.TestApp}'\"\n    route: /\n    instances: 2\nedge:\n  listen: {{http: \"127.0.0.1:{twenty}\"}}\n");
        await using (var stack = await BenchStack.UpAsync(context, "twenty"))
        {
            var agent = await stack.PidAsync("agent");
            await Task.Delay(TimeSpan.FromSeconds(15));
            agentTwenty = (await Measure.CpuSharesAsync(idle, agent))[0];
            await using var page = await DashboardPage.OpenAsync(await stack.DashboardAsync());
            await Task.Delay(TimeSpan.FromSeconds(5));
            allTwenty = (await Measure.CpuSharesAsync(idle, agent, await stack.PidAsync("edge.1"), await stack.PidAsync("dashboard.1"))).Sum();
            page.RequireFrames();
        }
        var storefront = await StorefrontUp.RunAsync(context);
        Console.WriteLine($"hello-procfile on a built tree, {rounds} rounds; median (range); aims: first 200 < 3 s, memory < 120 MiB, idle < 0.5 %, 20 processes < 1 %");
        Console.WriteLine($"first 200, fresh folder        {Measure.Median(fresh):N2} s ({fresh.Min():N2}–{fresh.Max():N2})");
        Console.WriteLine($"first 200, second up           {Measure.Median(again):N2} s ({again.Min():N2}–{again.Max():N2})");
        Console.WriteLine($"agent + edge, idle, PSS        {memory:N1} MiB");
        Console.WriteLine($"agent, idle                    {agentIdle:P2} of a core");
        Console.WriteLine($"edge, idle                     {edgeIdle:P2} of a core");
        Console.WriteLine($"agent with 20 processes        {agentTwenty:P2} of a core");
        Console.WriteLine($"with dashboard, edge, a page   {allTwenty:P2} of a core");
        storefront.Print();
        return new Outcome(
            new Dictionary<string, double>
            {
                ["first-200-seconds"] = Measure.Median(fresh),
                ["agent-edge-pss-mib"] = memory,
                ["idle-cpu-percent"] = (agentIdle + edgeIdle) * 100,
                ["agent-20-cpu-percent"] = agentTwenty * 100,
                ["all-20-cpu-percent"] = allTwenty * 100,
                ["storefront-fresh-seconds"] = Measure.Median(storefront.Fresh),
                ["storefront-again-seconds"] = Measure.Median(storefront.Again),
                ["storefront-pss-mib"] = storefront.Memory.Sum(),
                ["storefront-all-pss-mib"] = storefront.All,
                ["storefront-cpu-percent"] = storefront.Cpu.Sum() * 100,
            },
            new Dictionary<string, double[]> { ["first200.fresh"] = [.. fresh], ["first200.again"] = [.. again], ["storefront.fresh"] = storefront.Fresh, ["storefront.again"] = storefront.Again,
                ["storefront.pss"] = storefront.Memory, ["storefront.cpu"] = storefront.Cpu },
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
}
