using System.Text.Json;
using Ashlar.Agent.Hosting;
using Ashlar.Monitoring;
using Ashlar.Output;

namespace Ashlar;

public sealed class TopCommandTests : IDisposable
{
    private readonly CliRig _rig = new();
    private MetricsFile? _metrics;

    public void Dispose()
    {
        _metrics?.Dispose();
        _rig.Dispose();
    }

    [Fact]
    public async Task It_prints_once_where_output_is_no_terminal()
    {
        Run("web.1", "worker.1");
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("top"));
        var lines = _rig.Out.ToString().Split('\n');
        Assert.StartsWith("NAME", lines.First(line => line.StartsWith("NAME", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("  web.1 ", StringComparison.Ordinal) && line.Contains("64.0 MiB") && line.EndsWith("healthy", StringComparison.Ordinal));
        Assert.DoesNotContain("\e", _rig.Out.ToString());
    }

    [Fact]
    public async Task Its_JSON_has_a_row_for_each()
    {
        Run("web.1", "web.2");
        Assert.Equal(ExitCodes.Ok, await _rig.RunAsync("top", "--json", "--sort", "cpu"));
        using var report = JsonDocument.Parse(_rig.Out.ToString());
        var names = report.RootElement.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("instance").GetString()).Where(name => name is { Length: > 0 });
        Assert.Equal(["web.1", "web.2"], names.Order());
    }

    [Fact]
    public async Task Where_nothing_runs_it_says_so()
    {
        Assert.Equal(ExitCodes.NotRunning, await _rig.RunAsync("top", "--once"));
        Assert.Contains("ASH6013", _rig.Error.ToString());
    }

    [Fact]
    public async Task An_unknown_column_is_refused()
    {
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync("top", "--sort", "beauty"));
        Assert.Equal(ExitCodes.Usage, await _rig.RunAsync("top", "--sort", "1"));
    }

    [Fact]
    public void Rows_are_sorted_and_cut_to_the_screen()
    {
        Moment[] moments = [new(CliRig.Now, TimeSpan.FromSeconds(1),
        [
            Sample("services", "web", 0.2), Sample("services", "web", 0.2, "web.1"), Sample("edge", "edge", 0.1), Sample("services", "api", 0.9),
        ], ["a file is damaged"])];
        Assert.Equal(["edge", "api", "web", "web.1"], Names(TopOrder.Name));
        Assert.Equal(["api", "web", "web.1", "edge"], Names(TopOrder.Cpu));
        var screen = new Screen(new StringWriter()) { Columns = () => 40 };
        Assert.All(TopScreen.Render(screen, TopReports.Of("shop", [.. moments], null, TopOrder.Cpu)).Split('\n'), line => Assert.InRange(line.Length, 0, 40));

        IEnumerable<string> Names(TopOrder order) => TopReports.Of("shop", [.. moments], null, order).Rows.Select(row => row.Instance.Length > 0 ? row.Instance : row.Service);
    }

    private static Sample Sample(string tier, string service, double cpu, string instance = "") =>
        new(tier, service, instance) { Process = new ProcessFigures { Cpu = cpu, Memory = 1 << 20, State = 2 } };

    private void Run(params string[] instances)
    {
        var folder = StateFolder.Of(_rig.Folder.Path).Metrics;
        Directory.CreateDirectory(folder);
        _metrics = MetricsFile.Create(Path.Combine(folder, "agent.1.metrics"), 1, 100, 4096);
        foreach (var name in instances)
        {
            _metrics.Slot(0).Set(_metrics.Gauge(InstanceMetrics.State, name), InstanceMetrics.Healthy);
            _metrics.Slot(0).Set(_metrics.Gauge(InstanceMetrics.Memory, name), 64 << 20);
        }
    }
}
