using Ashlar.Catalog.Channel;
using Ashlar.Dashboard.Http;
using Ashlar.Dashboard.Live;
using Ashlar.Errors;
using Ashlar.Monitoring;
using Ashlar.Processes;

namespace Ashlar.Dashboard;

/// <summary>The process <c>ashlar dashboard --instance …</c>.</summary>
public static class DashboardTier
{
    /// <summary>Serves the page until SIGTERM.</summary>
    /// <param name="arguments">What follows the word <c>dashboard</c>: <c>--instance NAME --state FOLDER [--listen ADDRESS]</c>.</param>
    /// <returns>0: told to end; 1: it could not start; 2: arguments that it does not understand.</returns>
    public static Task<int> RunAsync(string[] arguments) => TierMain.RunAsync("dashboard", arguments, DashboardErrors.ArgumentsCode, async log =>
    {
        var options = DashboardOptions.Parse(arguments, SecretVariable.Take);
        var ending = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var signals = new TierSignals(() => ending.TrySetResult());
        await using var dashboard = await DashboardProcess.StartAsync(options, log.Say, TimeProvider.System);
        await ending.Task;
    });
}

/// <summary>The parts of the dashboard put together.</summary>
internal sealed class DashboardProcess : IAsyncDisposable
{
    private readonly SeriesStore? _series;
    private readonly LiveFeed _feed;
    private readonly PageServer _server;

    private DashboardProcess(SeriesStore? series, LiveFeed feed, PageServer server) => (_series, _feed, _server) = (series, feed, server);

    /// <summary>The port that it listens on.</summary>
    public int Port => _server.Port;

    /// <summary>Begins to watch and to serve.</summary>
    /// <param name="options">What it was told.</param>
    /// <param name="say">Gets what people should know, a line each.</param>
    /// <param name="time">Clock.</param>
    /// <exception cref="AshlarException">ASH7202.</exception>
    public static async Task<DashboardProcess> StartAsync(DashboardOptions options, Action<string> say, TimeProvider time)
    {
        var series = Open(options.Series, say);
        var watch = new TreeWatch(options.WatchSocket, time);
        var feed = new LiveFeed(watch, new MetricsCollector(options.Metrics, time), series, options, time, say);
        var server = new PageServer(new PageApplication(options, feed, series, time), options.Port);
        try
        {
            await server.StartAsync();
        }
        catch
        {
            await feed.DisposeAsync();
            series?.Dispose();
            throw;
        }

        return new DashboardProcess(series, feed, server);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        // Streams end first: the server waits for what is being answered.
        await _feed.DisposeAsync();
        await _server.DisposeAsync();
        _series?.Dispose();
    }

    private static SeriesStore? Open(string folder, Action<string> say)
    {
        try
        {
            return SeriesStore.Open(folder);
        }
        catch (Exception e) when (e is AshlarException or IOException or UnauthorizedAccessException)
        {
            say(DashboardErrors.SeriesNotKept(folder, e.Message.TrimEnd('.')).ToString());
            return null;
        }
    }
}
