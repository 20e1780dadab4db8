using System.Diagnostics;
using Ashlar.LoadClient;
using Ashlar.Testing;
using Xunit.Abstractions;

namespace Ashlar.EndToEnd.Tests.NoFailedRequest;

/// <summary>Whatever is replaced on purpose, no request fails: none refused, reset, truncated or other than expected.</summary>
public sealed class NoFailedRequestTests(ITestOutputHelper output)
{
    [Fact]
    public async Task No_request_fails_through_a_round_of_operations()
    {
        var report = await RunAsync(TimeSpan.Zero, operations: 11, new LoadMix { Gets = 800, NewConnections = 80, Posts = 40, EventStreams = 4, WebSockets = 4 });
        Assert.True(report.Requests.Values.Sum() > 1000, report.ToString());
    }

    [Fact]
    [Trait("Length", "Full")]
    public async Task No_request_fails_of_5000_offered_a_second_over_200_operations()
    {
        var report = await RunAsync(TimeSpan.FromSeconds(60), operations: 200, new LoadMix { Gets = 4900 });
        Assert.True(report.Elapsed >= TimeSpan.FromSeconds(60), report.ToString());
    }

    private async Task<LoadReport> RunAsync(TimeSpan atLeast, int operations, LoadMix mix)
    {
        await using var rig = StackRig.Web(instances: 2);
        await rig.UpAsync();
        using var stop = new CancellationTokenSource();
        var load = new LoadRunner(rig.Edge, mix);
        var run = load.RunAsync(stop.Token);
        var clock = Stopwatch.StartNew();
        var operators = new Operations(rig);
        var done = 0;
        var log = new List<string>();
        try
        {
            while (done < operations || clock.Elapsed < atLeast)
            {
                foreach (var (name, operation) in operators.Round())
                {
                    var before = load.Failed;
                    var begin = clock.Elapsed;
                    await operation();
                    done++;
                    log.Add($"{clock.Elapsed.TotalSeconds,7:N2} s  {name}: {(clock.Elapsed - begin).TotalSeconds:N2} s, {load.Failed - before} failed");
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            await stop.CancelAsync();
            Assert.Fail($"{e}\n{await run}\n{string.Join('\n', log)}\n{rig.AgentLog()}");
        }
        await stop.CancelAsync();
        var report = await run;
        output.WriteLine($"{done} operations; {report}");
        log.ForEach(output.WriteLine);
        Assert.True(report.Failed == 0, $"{report}\n{string.Join('\n', log.Where(l => !l.EndsWith(" 0 failed", StringComparison.Ordinal)))}");
        return report;
    }
}
