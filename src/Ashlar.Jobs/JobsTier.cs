using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ashlar.Errors;
using Ashlar.Jobs.Queue;
using Ashlar.Jobs.Runner;
using Ashlar.Processes;

namespace Ashlar.Jobs;

/// <summary>The process <c>ashlar jobs --instance …</c>.</summary>
public static class JobsTier
{
    private static readonly TimeSpan BetweenPictures = TimeSpan.FromSeconds(2);
    private const int PauseForCost = 20;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(500);

    /// <summary>Hands out jobs until SIGTERM, then finishes what is in hand.</summary>
    /// <param name="arguments">What follows the word <c>jobs</c>: <c>--instance NAME --state FOLDER [--grace SECONDS]</c>.</param>
    /// <returns>0: told to end; 1: it could not start; 2: arguments that it does not understand.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        try
        {
            var options = JobsOptions.Parse(arguments, SecretVariable.Take);
            using var stop = new CancellationTokenSource();
            void OnSignal(PosixSignalContext context)
            {
                context.Cancel = true;
                stop.Cancel();
            }

            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
            await ServeAsync(options, stop.Token);
            return 0;
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (AshlarException e)
        {
            Say(e.Error.ToString());
            return e.Error.Code == JobsErrors.ArgumentsCode ? 2 : 1;
        }
        catch (Exception e)
        {
            // Whatever it is, the agent shows it as the last line of a process that did not start.
            Say($"the jobs process ends: {e}");
            return 1;
        }
    }

    private static async Task ServeAsync(JobsOptions options, CancellationToken stop)
    {
        var database = Database.Of(options.Settings);
        await PrepareAsync(options, database, stop);
        using var metrics = JobsMetrics.Create(options.Metrics, options.Instance, Say);
        using var http = new HttpDelivery(options.Settings.Secret, TimeProvider.System);
        using var commands = new CommandDelivery(options);
        await commands.EndRemainsAsync();
        await using var door = HealthDoor.Open(options.Port);
        using var dispatcher = new Dispatcher(options.Settings, database, queue => queue.Run is null ? http : commands, metrics,
            new DispatchOptions { Holder = $"{options.Instance} {Environment.MachineName} {Environment.ProcessId}" });
        var picturing = PictureAsync(options, database, dispatcher, metrics, stop);
        await dispatcher.RunAsync(options.Grace, stop);
        await picturing;
    }

    // The database may be on its way up; services wait for us meanwhile.
    private static async Task PrepareAsync(JobsOptions options, Database database, CancellationToken stop)
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
                    Say(JobsErrors.Unreachable(options.Settings.Port, e.Message).Error.ToString());
                }

                await Task.Delay(BetweenTries, stop);
            }
        }
    }

    /// <summary>Writes how the queues are, for the dashboard and the series: it costs the same however many look.</summary>
    private static async Task PictureAsync(JobsOptions options, Database database, Dispatcher dispatcher, JobsMetrics metrics, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var administration = await JobsAdministration.OpenAsync(database, options.Settings.Port, options.Settings.Stack, stop);
                for (var pause = BetweenPictures; ;)
                {
                    await Task.Delay(pause, stop);
                    var began = Stopwatch.GetTimestamp();
                    if (dispatcher.Leads)
                    {
                        var picture = await administration.PictureAsync(stop);
                        metrics.Note(picture.Queues);
                        var temporary = $"{options.Report}.{Environment.ProcessId}.tmp";
                        await File.WriteAllBytesAsync(temporary, JsonSerializer.SerializeToUtf8Bytes(picture, JobsJson.Default.JobsPicture), stop);
                        File.Move(temporary, options.Report, overwrite: true);
                    }

                    // Counting is never a queue's main work, however much lies in it.
                    var costly = Stopwatch.GetElapsedTime(began) * PauseForCost;
                    pause = costly > BetweenPictures ? costly : BetweenPictures;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is AshlarException or UnauthorizedAccessException || Database.IsOfTheServer(e))
            {
                // The dispatcher says it.
                await Task.WhenAny(Task.Delay(BetweenPictures, stop));
            }
        }
    }

    private static void Say(string text) => Console.Error.WriteLine(text);
}

/// <summary>How the reports are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JobsPicture))]
public sealed partial class JobsJson : JsonSerializerContext;
