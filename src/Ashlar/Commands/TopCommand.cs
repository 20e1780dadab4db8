using System.CommandLine;
using Ashlar.Agent.Hosting;
using Ashlar.Foreground;
using Ashlar.Monitoring;
using Ashlar.Output;

namespace Ashlar.Commands;

/// <summary><c>ashlar top</c>: reads the metrics files, so it needs neither agent nor dashboard.</summary>
internal static class TopCommand
{
    // Latency of a second alone jumps about where requests are few.
    private const int MomentsOfLatency = 10;
    private const int MomentsOfBottleneck = 60;
    private static readonly TimeSpan BetweenKeys = TimeSpan.FromMilliseconds(100);

    public static Verb Verb { get; } = new("top", VerbGroup.Run, "Show live what every tier, service and instance does", Create,
        "ashlar top", "ashlar top --sort cpu", "ashlar top --once", "ashlar top --json");

    private static Command Create(Cli cli)
    {
        var once = new Option<bool>("--once") { Description = "print one second and end; so it does where output is no terminal, and with --json" };
        var sort = new Option<string?>("--sort", "-s") { Description = "cpu, memory, requests or name (by tier); default: name", HelpName = "COLUMN" };
        return VerbCall.Command(cli, Verb, [once, sort], async (call, cancellation) =>
        {
            var order = call.Value(sort) is { } text ? TopOrders.Parse(text) ?? throw CliErrors.Usage("top", $"'{text}' is no column to sort by.") : TopOrder.Name;
            var session = new Session(call, order);
            if (call.Json || call.Value(once) || !cli.Out.Animated || !cli.Interactive)
            {
                call.Print(await session.OnceAsync(cancellation), CliJson.Default.TopReport, TopScreen.Render);
                return ExitCodes.Ok;
            }

            return await session.LiveAsync(cancellation);
        });
    }

    private sealed class Session
    {
        private readonly VerbCall _call;
        private readonly MetricsCollector _collector;
        private readonly List<Moment> _moments = [];
        private readonly string _stack;
        private TopOrder _order;

        public Session(VerbCall call, TopOrder order)
        {
            (_call, _order) = (call, order);
            var folder = call.StackFolder;
            _stack = Path.GetFileName(folder.TrimEnd('/'));
            var metrics = StateFolder.Of(folder).Metrics;
            try
            {
                _ = Directory.EnumerateFiles(metrics, "*.metrics").Any() ? 0 : throw CliErrors.NotRunning(folder);
            }
            catch (DirectoryNotFoundException)
            {
                throw CliErrors.NotRunning(folder);
            }
            catch (UnauthorizedAccessException e)
            {
                throw MonitoringErrors.MetricsForeign(metrics, "they belong to another user", e);
            }

            _collector = new MetricsCollector(metrics, call.Cli.Time);
            if (!_collector.Collect().Samples.Any(sample => sample.Tier != "machine" && sample.Process is not null))
            {
                throw CliErrors.NotRunning(folder);
            }
        }

        public async Task<TopReport> OnceAsync(CancellationToken cancellation)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
            Collect();
            return Report();
        }

        public async Task<int> LiveAsync(CancellationToken cancellation)
        {
            var screen = _call.Cli.Out;
            using var interrupts = new Interrupts();
            using var keys = Keys.Open();
            using var whole = new WholeScreen(screen);
            await Task.Delay(BetweenKeys, cancellation);
            Collect();
            Show(whole);
            var (width, next) = (screen.Width, _call.Cli.Time.GetUtcNow() + _collector.UntilNext());
            while (!interrupts.First.IsCompleted)
            {
                await Task.WhenAny(interrupts.First, Task.Delay(BetweenKeys, cancellation));
                cancellation.ThrowIfCancellationRequested();
                var due = _call.Cli.Time.GetUtcNow() >= next;
                if (due)
                {
                    Collect();
                    next = _call.Cli.Time.GetUtcNow() + _collector.UntilNext();
                }

                var key = keys.Read();
                if (key is 'q' or 'Q')
                {
                    return ExitCodes.Ok;
                }

                _order = key is { } letter && TopOrders.OfKey(letter) is { } order ? order : _order;
                if (due || key is not null || width != screen.Width)
                {
                    width = screen.Width;
                    Show(whole);
                }
            }

            return await interrupts.First;
        }

        private void Collect()
        {
            _moments.Add(_collector.Collect());
            if (_moments.Count > MomentsOfBottleneck)
            {
                _moments.RemoveAt(0);
            }
        }

        private TopReport Report() => TopReports.Of(_stack, [.. _moments.TakeLast(MomentsOfLatency)], Bottleneck.Find([.. _moments]), _order);

        private void Show(WholeScreen whole) => whole.Show(TopScreen.Render(_call.Cli.Out, Report()) + "\n" + TopScreen.Keys(_call.Cli.Out, _order));
    }
}
