using Ashlar.Catalog.Channel;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Runner;
using Ashlar.Processes;

namespace Ashlar.Jobs;

/// <summary>The process <c>ashlar jobs --instance …</c>.</summary>
public static class JobsTier
{
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(500);

    /// <summary>Hands out jobs until SIGTERM, then finishes what is in hand.</summary>
    /// <param name="arguments">What follows the word <c>jobs</c>: <c>--instance NAME --state FOLDER [--grace SECONDS]</c>.</param>
    /// <returns>0: told to end; 1: it could not start; 2: arguments that it does not understand.</returns>
    public static Task<int> RunAsync(string[] arguments) => TierMain.RunAsync("jobs", arguments, JobsErrors.ArgumentsCode, async log =>
    {
        var options = JobsOptions.Parse(arguments, SecretVariable.Take);
        using var stop = new CancellationTokenSource();
        using var signals = new TierSignals(stop.Cancel);
        try
        {
            await ServeAsync(options, log, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // While it waited for the database.
        }
    });

    private static async Task ServeAsync(JobsOptions options, TierLog log, CancellationToken stop)
    {
        var database = Database.Of(options.Settings);
        await PrepareAsync(options, log, database, stop);
        using var metrics = JobsMetrics.Create(options.Metrics, options.Instance, log.Say);
        using var http = new HttpDelivery(options.Settings.Secret, TimeProvider.System);
        using var commands = new CommandDelivery(options);
        await commands.EndRemainsAsync();
        await using var door = HealthDoor.Open(options.Port);
        using var dispatcher = new Dispatcher(options.Settings, database, queue => queue.Run is null ? http : commands, metrics,
            new DispatchOptions { Holder = $"{options.Instance} {Environment.MachineName} {Environment.ProcessId}" });
        var picturing = JobsPictures.WriteAsync(options, database, dispatcher, metrics, stop);
        await dispatcher.RunAsync(options.Grace, stop);
        await picturing;
    }

    // The database may be on its way up; services wait for us meanwhile.
    private static async Task PrepareAsync(JobsOptions options, TierLog log, Database database, CancellationToken stop)
    {
        for (var said = false; ; said = true)
        {
            try
            {
                await using var connection = await database.OpenAsync(stop);
                await Schema.ApplyAsync(connection, options.Settings.App, stop);
                await using var claiming = new ClaimStore(connection);
                await claiming.DeclareAsync(options.Settings.Queues, stop);
                return;
            }
            catch (Exception e) when (Database.IsOfTheServer(e))
            {
                if (!said)
                {
                    log.Say(JobsErrors.Unreachable(options.Settings.Port, e.Message).Error);
                }

                await Task.Delay(BetweenTries, stop);
            }
        }
    }
}
