namespace Ashlar.Bench;

/// <summary>What the storefront's start took, and what Ashlar's own processes beside it hold and use: agent, edge and dashboard.</summary>
/// <param name="Fresh">Seconds to the first 200 with no database yet: made, copied to the replica, migrated.</param>
/// <param name="Again">Seconds with the data of the run before.</param>
/// <param name="Memory">PSS in MiB of agent, edge and dashboard.</param>
/// <param name="All">PSS in MiB of all processes of Ashlar's own: those, the name server and the dispatcher of jobs.</param>
/// <param name="Cpu">Their shares of a core, metrics on and a page of the dashboard open.</param>
/// <param name="Processes">How many processes the stack has.</param>
internal sealed record StorefrontUp(double[] Fresh, double[] Again, double[] Memory, double All, double[] Cpu, int Processes)
{
    public static async Task<StorefrontUp> RunAsync(BenchContext context)
    {
        var folder = Path.Combine(context.Folder, "storefront");
        var port = Copy(context, folder);
        // Builds the release; nothing of this is measured.
        await BenchContext.RunAsync(context.Ashlar, "up", "--detach", folder);
        List<double> fresh = [], again = [];
        for (var round = 1; round <= (context.Quick ? 2 : 5); round++)
        {
            await BenchContext.RunAsync(context.Ashlar, "down", "--stack", folder);
            StartEmpty(Path.Combine(folder, ".ashlar/data"));
            // A release of its own that shares the built folder: its release command runs on the new database.
            await BenchContext.RunAsync(context.Ashlar, "config", "set", $"BENCH_ROUND={round}", "--stack", folder);
            fresh.Add(await FirstAnswer.OfUpAsync(context, folder, port));
            await BenchContext.RunAsync(context.Ashlar, "down", "--stack", folder);
            again.Add(await FirstAnswer.OfUpAsync(context, folder, port));
        }

        await using var stack = await BenchStack.UpAsync(context, "storefront");
        await using var page = await DashboardPage.OpenAsync(await stack.DashboardAsync());
        await Task.Delay(TimeSpan.FromSeconds(15));
        int[] pids = [await stack.PidAsync("agent"), await stack.PidAsync("edge.1"), await stack.PidAsync("dashboard.1")];
        var cpu = await Measure.CpuSharesAsync(TimeSpan.FromSeconds(context.Quick ? 10 : 30), pids);
        page.RequireFrames();
        double[] memory = [.. pids.Select(pid => Measure.Pss(pid) / 1048576.0)];
        int[] others = [await stack.PidAsync("dns.1"), await stack.PidAsync("jobs.1")];
        return new StorefrontUp([.. fresh], [.. again], memory, memory.Sum() + (others.Sum(Measure.Pss) / 1048576.0), cpu, await stack.ProcessesAsync());
    }

    public void Print()
    {
        Console.WriteLine($"storefront, {Fresh.Length} rounds, {Processes} processes; aims: first 200 < 8 s with a fresh database, < 4 s with an existing one, < 200 MiB, < 1.5 %");
        Console.WriteLine($"first 200, fresh database      {Measure.Median(Fresh):N2} s ({Fresh.Min():N2}–{Fresh.Max():N2})");
        Console.WriteLine($"first 200, existing database   {Measure.Median(Again):N2} s ({Again.Min():N2}–{Again.Max():N2})");
        Console.WriteLine($"agent + edge + dashboard, PSS  {Memory.Sum():N1} MiB ({string.Join(" + ", Memory.Select(m => $"{m:N1}"))})");
        Console.WriteLine($"all of Ashlar's own, PSS       {All:N1} MiB; aim < 260 MiB");
        Console.WriteLine($"their CPU with a page open     {Cpu.Sum():P2} of a core ({string.Join(" + ", Cpu.Select(c => $"{c:P2}"))})");
    }

    // Data that is simply missing is refused: somebody might only have forgotten to mount it.
    private static void StartEmpty(string data)
    {
        foreach (var instance in Directory.EnumerateDirectories(data))
        {
            foreach (var folder in Directory.EnumerateDirectories(instance))
            {
                Directory.Delete(folder, recursive: true);
            }

            foreach (var file in Directory.EnumerateFiles(instance))
            {
                File.Delete(file);
            }

            File.WriteAllText(Path.Combine(instance, "start-empty"), "");
        }
    }

    private static int Copy(BenchContext context, string folder)
    {
        var source = Path.Combine(context.Root, "examples/storefront");
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(source, f).Split('/').Any(part => part is "bin" or "obj" or ".ashlar")))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        var port = BenchContext.FreePort();
        // Ports of its own, in place of those that the file names.
        var yaml = Path.Combine(folder, "ashlar.yaml");
        File.WriteAllText(yaml, File.ReadAllText(yaml).Replace("127.0.0.1:8080", $"127.0.0.1:{port}", StringComparison.Ordinal)
            .Replace("127.0.0.1:8443", $"127.0.0.1:{BenchContext.FreePort()}", StringComparison.Ordinal).Replace("127.0.0.1:5300", $"127.0.0.1:{BenchContext.FreePort()}", StringComparison.Ordinal));
        return port;
    }
}
