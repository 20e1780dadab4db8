using System.Collections.Concurrent;
using System.Diagnostics;
using Ashlar.Testing.Machines;

namespace Ashlar.Bench;

/// <summary>What clients of the other machines see when one of them loses power under load.</summary>
internal static class LossUnderLoad
{
    private const int Clients = 24;
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    /// <summary>What was seen.</summary>
    /// <param name="Requests">Requests in all.</param>
    /// <param name="InFlight">Failed ones that had begun before the power cut.</param>
    /// <param name="Later">Failed ones that began after it.</param>
    /// <param name="UntilNoneFails">Seconds from the power cut to the end of the last failed request; 0: none failed.</param>
    /// <param name="Waited">Good requests that took longer than a second.</param>
    /// <param name="Slowest">Seconds that the slowest good request took.</param>
    /// <param name="Replaced">Seconds from the power cut until as many instances are healthy as before.</param>
    public sealed record Figures(int Requests, int InFlight, int Later, double UntilNoneFails, int Waited, double Slowest, double Replaced);

    /// <summary>Cuts the last machine's power.</summary>
    public static async Task<Figures> RunAsync(MachineNet net, MachineHost client, BenchFleet fleet)
    {
        var answers = new ConcurrentQueue<(long Began, long Ended, bool Good)>();
        using var end = new CancellationTokenSource();
        using var http = client.CreateHttpClient();
        http.Timeout = TimeSpan.FromSeconds(30);
        var urls = fleet.Urls.SkipLast(1).Select(url => new Uri($"{url}/spin?us=300")).ToArray();
        var clients = Enumerable.Range(0, Clients).Select(i => Task.Run(() => AskAsync(http, urls[i % urls.Length], answers, end.Token))).ToArray();
        await Task.Delay(Before);
        var cut = Stopwatch.GetTimestamp();
        await net.KillAsync(fleet.Machines[^1].Host);
        var lost = $"a{fleet.Machines.Count}";
        while ((await fleet.InstancesAsync("web")).Count(w => w.State == "healthy" && w.Machine != lost) < fleet.Machines.Count)
        {
            if (Stopwatch.GetElapsedTime(cut) > Longest)
            {
                throw new TimeoutException("What ran on the lost machine is not replaced.");
            }

            await Task.Delay(250);
        }

        var replaced = Stopwatch.GetElapsedTime(cut);
        await end.CancelAsync();
        await Task.WhenAll(clients);
        var failed = answers.Where(a => !a.Good).ToArray();
        return new Figures(
            answers.Count, failed.Count(a => a.Began <= cut), failed.Count(a => a.Began > cut),
            failed.Length == 0 ? 0 : failed.Max(a => Stopwatch.GetElapsedTime(cut, a.Ended).TotalSeconds),
            answers.Count(a => a.Good && Stopwatch.GetElapsedTime(a.Began, a.Ended) > TimeSpan.FromSeconds(1)),
            answers.Where(a => a.Good).Max(a => Stopwatch.GetElapsedTime(a.Began, a.Ended).TotalSeconds), replaced.TotalSeconds);
    }

    private static async Task AskAsync(HttpClient http, Uri url, ConcurrentQueue<(long Began, long Ended, bool Good)> answers, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var began = Stopwatch.GetTimestamp();
            var good = false;
            try
            {
                using var answer = await http.GetAsync(url, CancellationToken.None);
                good = answer.IsSuccessStatusCode;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // It counts as failed.
            }

            answers.Enqueue((began, Stopwatch.GetTimestamp(), good));
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
